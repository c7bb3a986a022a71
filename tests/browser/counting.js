// Random histories of a room, its user's markers and the server's answers, in every order in which they may arrive.
// The first in which the page ends with another count than the server: undefined if there is none.
async ([histories, first]) => {
  const { Reading } = await import("/web/reading.js");
  let state = first;
  const below = (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };

  for (let history = 0; history < histories; history++) {
    const others = [];
    let [last, read] = [0, 0];
    const truth = () => ({ seq: last, read, unread: Math.min(100, others.filter((seq) => seq > read).length) });
    const reading = new Reading();
    const told = [];
    const answers = [];
    const log = [];
    let mustAsk = false;

    const hear = ({ seq, own }, isRead) => {
      if (isRead) mustAsk ||= reading.onRead(seq);
      else if (!own) reading.onMessage(seq);
    };
    const takeAnswer = () => { mustAsk = reading.count(answers.splice(below(answers.length), 1)[0]) || mustAsk; };
    const steps = [
      () => {
        const own = below(4) === 0;
        last += 1 + below(3);
        if (!own) others.push(last);
        told.push([{ seq: last, own }, false]);
      },
      () => {
        const seq = read + below(last - read + 1);
        if (seq === read) return;
        read = seq;
        told.push([{ seq }, true]);
      },
      () => answers.push(truth()),
      () => told.length && hear(...told.shift()),
      () => answers.length && takeAnswer(),
    ];
    for (let step = below(60); step >= 0; step--) {
      const chosen = below(steps.length);
      steps[chosen]();
      log.push([chosen, last, read, reading.unread]);
    }
    answers.push(truth()); // That of the start, or of the latest join.
    while (told.length) hear(...told.shift());
    while (answers.length) takeAnswer();
    if (mustAsk) reading.count(truth());
    if (reading.unread !== truth().unread) return { shown: reading.unread, ...truth(), log };
  }
  return undefined;
}
