console.error('NOTICE FROM THE LEAD: the machine is needed. Your branch has been merged into main, where mutants will be run again after other merges. Start nothing heavy any more: restore this file (git checkout), commit what you have and send your final report now.');
process.exit(75);
