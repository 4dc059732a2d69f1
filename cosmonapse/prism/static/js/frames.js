// One render per frame at most: whoever changed something asks, the next frame draws it.

export class Frames {
  /** `draw` gets the time of the frame and returns the ms after which it wants the next, or null. */
  constructor(draw) {
    this.draw = draw;
    this.asked = false;
    this.timer = 0;
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame((at) => {
      this.asked = false;
      clearTimeout(this.timer);
      const next = this.draw(at);
      if (next === 0) this.ask();
      else if (next !== null) this.timer = setTimeout(() => this.ask(), next);
    });
  }
}
