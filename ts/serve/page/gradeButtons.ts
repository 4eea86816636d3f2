import { button, html } from './dom.ts';
import { GRADES } from './grades.ts';

/** Four buttons that grade a hit; the one that is pressed takes the grade back. */
export interface GradeButtons {
  element: HTMLElement;
  /** Gives the grade, or takes it back if the hit has it. */
  toggle(grade: number): void;
}

export function gradeButtons(
  given: number | undefined,
  save: (grade: number | undefined) => void,
): GradeButtons {
  let current = given;
  const buttons = GRADES.map((meaning, grade) =>
    button(String(grade), () => toggle(grade), {
      'aria-label': `Grade ${grade}: ${meaning}`,
      title: meaning,
    }),
  );
  const show = (): void => {
    for (const [grade, one] of buttons.entries()) one.setAttribute('aria-pressed', String(grade === current));
  };
  const toggle = (grade: number): void => {
    const next = grade === current ? undefined : grade;
    save(next);
    current = next;
    show();
  };
  show();
  return {
    element: html('div', { class: 'grade', role: 'group', 'aria-label': 'Grade' }, ...buttons),
    toggle,
  };
}
