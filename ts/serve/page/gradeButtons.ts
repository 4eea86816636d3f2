import { button, html } from './dom.ts';
import { GRADES } from './grades.ts';

/** Four buttons that grade a hit; the one that is pressed takes the grade back. */
export interface GradeButtons {
  element: HTMLElement;
  /** Gives the grade, or takes it back if the hit has it. */
  toggle(grade: number): void;
  /** Shows a grade that was given elsewhere, or that there is none. */
  show(grade: number | undefined): void;
}

export function gradeButtons(
  given: number | undefined,
  save: (grade: number | undefined) => void,
): GradeButtons {
  let current = given;
  // Says what the button under the pointer or with the focus means, or else the grade that is given.
  const caption = html('span', { class: 'caption', 'aria-hidden': 'true' });
  const tell = (grade = current): void => {
    caption.textContent = grade === undefined ? 'Grade' : GRADES[grade]!;
  };
  const buttons = GRADES.map((meaning, grade) => {
    const one = button(String(grade), () => toggle(grade), {
      'aria-label': `Grade ${grade}: ${meaning}`,
      title: meaning,
    });
    for (const type of ['pointerenter', 'focus']) one.addEventListener(type, () => tell(grade));
    for (const type of ['pointerleave', 'blur']) one.addEventListener(type, () => tell());
    return one;
  });
  const show = (grade: number | undefined): void => {
    current = grade;
    for (const [i, one] of buttons.entries()) one.setAttribute('aria-pressed', String(i === grade));
    tell();
  };
  const toggle = (grade: number): void => {
    const next = grade === current ? undefined : grade;
    save(next);
    show(next);
  };
  show(given);
  return {
    element: html('div', { class: 'grade', role: 'group', 'aria-label': 'Grade' }, caption, ...buttons),
    toggle,
    show,
  };
}
