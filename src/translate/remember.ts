// Remembering an answer for as long as everything that it was made from is the very same.

/**
 * Makes a function that computes an answer for a key object, and gives the same answer again while the inputs are
 * identical, one by one. Objects of an inventory keep their identity until they change: that is all the equality there is.
 */
export function createMemory<Answer>() {
  const answers = new WeakMap<object, { readonly inputs: readonly unknown[]; readonly answer: Answer }>();
  return (key: object, inputs: readonly unknown[], compute: () => Answer): Answer => {
    const known = answers.get(key);
    if (known !== undefined && isSame(known.inputs, inputs)) return known.answer;
    const answer = compute();
    answers.set(key, { inputs, answer });
    return answer;
  };
}

function isSame(before: readonly unknown[], now: readonly unknown[]): boolean {
  return before.length === now.length && before.every((input, index) => Object.is(input, now[index]));
}
