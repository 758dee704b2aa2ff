/* Search in pages opened from a file: browsers refuse workers there, so the search's worker runs in a
   frame of its own instead, with the same messages. Does nothing where pages come from a server. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = null;
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc =
        "<script>function importScripts(...urls) { return Promise.all(urls.map((url) => new Promise(" +
        "(done, failed) => document.head.append(Object.assign(document.createElement('script')," +
        " { src: url, onload: done, onerror: failed }))))) }" +
        "; function postMessage(data) { parent.dispatchEvent(new MessageEvent('message'," +
        " { data, source: window })) }</" +
        `script><script src="${url}"></` +
        "script>";
      this.ready = new Promise((done) => (this.frame.onload = done));
      document.body.append(this.frame);
      window.addEventListener("message", (event) => {
        if (event.source !== this.frame.contentWindow) return;
        const message = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(message);
        if (this.onmessage) this.onmessage(message);
      });
    }
    postMessage(data) {
      this.ready.then(() => {
        const inside = this.frame.contentWindow;
        inside.dispatchEvent(new MessageEvent("message", { data }));
      });
    }
    terminate() {
      this.frame.remove();
    }
  };
}
