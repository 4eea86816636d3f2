import { encode } from './bert.ts';
import { type Family, linear, type Source } from './family.ts';

/** RoBERTa (Y. Liu et al., 2019) and XLM-R: BERT whose positions are counted from behind the padding's id. */
export const roberta: Family = {
  types: ['roberta', 'xlm-roberta'],
  prefix: 'roberta',
  takesTypes: false,
  states(source, inputs) {
    const { graph } = source.net;
    const { mask } = inputs;
    const padding = graph.integer(source.config.number('pad_token_id', 1));
    const counted = graph.emit('CumSum', [mask, graph.integer(1)], mask.shape, {}, 'int64');
    const present = graph.emit('Mul', [counted, mask], mask.shape, {}, 'int64');
    const positions = graph.emit('Add', [present, padding], mask.shape, {}, 'int64');
    return encode(source, inputs, positions);
  },
  classify(source: Source, _, states, labels) {
    const { net } = source;
    const first = net.first(states);
    const inner = net.tanh(
      linear(source, net.dropout(first), 'classifier.dense', states.shape[2] as number, true),
    );
    return linear(source, net.dropout(inner), 'classifier.out_proj', labels, true);
  },
};
