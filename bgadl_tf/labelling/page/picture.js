// An image in a frame: as large as fits, or larger.

const STEP = 1.5;
const MOST = 40;

export class Picture {
  constructor(frame, image) {
    this.frame = frame;
    this.image = image;
    this.factor = 1;
    this.ready = false;
    for (const end of ["load", "error"]) image.addEventListener(end, () => this.seen());
    image.addEventListener("click", (event) => this.zoom(this.factor > 1 ? 0 : STEP ** 3, event));
    new ResizeObserver(() => this.layout()).observe(frame);
  }

  show(source) {
    if (this.source === source) return;
    this.source = source;
    this.factor = 1;
    this.ready = false;
    this.image.classList.add("loading"); // else the image before would stay
    this.image.hidden = source === null;
    if (source === null) this.image.removeAttribute("src");
    else this.image.src = source;
  }

  seen() {
    this.ready = true;
    this.image.classList.remove("loading");
    this.layout();
  }

  // 0 fits it into the frame.
  zoom(by, at = null) {
    const { frame, image } = this;
    const box = image.getBoundingClientRect();
    const x = at ? (at.clientX - box.left) / box.width : 0.5;
    const y = at ? (at.clientY - box.top) / box.height : 0.5;
    this.factor = by === 0 ? 1 : Math.min(MOST, Math.max(1, this.factor * by));
    this.layout();
    frame.scrollLeft = x * image.offsetWidth - frame.clientWidth / 2;
    frame.scrollTop = y * image.offsetHeight - frame.clientHeight / 2;
  }

  zoomIn() {
    this.zoom(STEP);
  }

  zoomOut() {
    this.zoom(1 / STEP);
  }

  layout() {
    const { frame, image } = this;
    const { naturalWidth: width, naturalHeight: height } = image;
    if (!width || image.hidden) return;
    // Not clientWidth, which scroll bars change.
    const fit = Math.min(frame.offsetWidth / width, frame.offsetHeight / height);
    const scale = fit * this.factor;
    image.style.width = `${Math.floor(width * scale)}px`;
    image.style.height = `${Math.floor(height * scale)}px`;
    image.classList.toggle("pixelated", scale > 1);
    frame.classList.toggle("zoomed", this.factor > 1);
  }
}
