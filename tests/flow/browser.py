"""browser.py - a real browser for flow tests: headless Chromium, spoken to over a pipe (Chrome DevTools Protocol), with nothing between.

    with Browser() as browser:
        page = browser.page(width=390)
        page.open("https://localhost:8443/sign-in")
        page.press("Tab")                   # keys go in as from a keyboard: what has the focus gets them
        page.type("13800138000")
        with page.leaving():                # until the next page has loaded
            page.press("Enter")
        assert page.value("document.title") == "…"
        assert not page.axe()               # what axe-core finds wrong

Whoever has no Chromium, or cannot get axe-core from npm, is told so by `missing()`.
"""
import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
from pathlib import Path

from lib import ROOT, clean_env, wait_for

AXE_VERSION = "4.11.1"
AXE = ROOT / ".cache" / f"axe-core-{AXE_VERSION}" / "package" / "axe.min.js"
DEADLINE = 150
KEYS = {     # name: (key, code, number, text)
    "Tab": ("Tab", "Tab", 9, ""), "Enter": ("Enter", "Enter", 13, "\r"), "Space": (" ", "Space", 32, " "),
    "Escape": ("Escape", "Escape", 27, ""), "Backspace": ("Backspace", "Backspace", 8, ""), "ArrowDown": ("ArrowDown", "ArrowDown", 40, ""),
}


def missing():
    """What a test with a browser lacks here; None: nothing."""
    if not shutil.which("chromium"):
        return "chromium is not here (./dev setup installs it)"
    if AXE.exists():
        return None
    if not shutil.which("npm"):
        return "npm is not here, so axe-core cannot be had"
    AXE.parent.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["npm", "pack", "--silent", f"axe-core@{AXE_VERSION}"], cwd=AXE.parent.parent, capture_output=True, text=True, timeout=300)
    if done.returncode:
        return "npm pack axe-core failed: " + (done.stderr.strip().splitlines() or ["no reason given"])[0]
    subprocess.run(["tar", "xzf", done.stdout.strip().splitlines()[-1]], cwd=AXE.parent.parent, check=True)
    return None


# Of every text that is shown (what stands in a box, and what a box says while it is empty, too) the contrast of WCAG 2: its color, with what is seen
# through it, against the nearest background behind it that is opaque, with all that lies between. What a picture lies under is left to axe.
CONTRASTS = """(() => {
  const read = text => {
    const m = /^rgba?\\(([\\d.]+), ([\\d.]+), ([\\d.]+)(?:, ([\\d.]+))?\\)$/.exec(text);
    if (!m)
      throw new Error('a color that is not read here: ' + text);
    return [+m[1], +m[2], +m[3], m[4] === undefined ? 1 : +m[4]];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = c => c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    const layers = [];
    for (; e; e = e.parentElement) {
      const c = read(getComputedStyle(e).backgroundColor);
      layers.unshift(c);
      if (c[3] === 1)
        break;
    }
    const canvas = matchMedia('(prefers-color-scheme: dark)').matches && /dark/.test(getComputedStyle(document.documentElement).colorScheme) ? [18, 18, 18] : [255, 255, 255];
    return layers.reduce((below, c) => over(c, below), canvas);
  };
  const ratio = (e, style) => {
    const under = behind(e), c = read(style.color);
    for (let p = e; p; p = p.parentElement)
      c[3] *= +getComputedStyle(p).opacity;
    const [a, b] = [light(over(c, under)), light(under)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const shown = e => e.offsetParent && !e.closest('.unseen') && getComputedStyle(e).visibility === 'visible';
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!shown(e) || e.closest('svg'))
      continue;
    if ([...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || (e.matches('input:not([type=hidden]), textarea, select') && e.value))
      found.push([e.innerText || e.value, ratio(e, getComputedStyle(e))]);
    if (e.placeholder && !e.value)
      found.push([e.placeholder, ratio(e, getComputedStyle(e, '::placeholder'))]);
  }
  return found.map(([text, r]) => ({ text: text.slice(0, 30), ratio: Math.round(r * 100) / 100 }));
})()"""


class Browser:
    def __init__(self, *flags):
        self.dir = tempfile.mkdtemp(prefix="tjzw-browser-")
        down, self._down = os.pipe()
        self._up, up = os.pipe()
        # Not root's sandbox, for tests run as root in containers; and nobody outside of loopback is asked for anything.
        command = ["chromium", "--headless=new", "--no-sandbox", "--remote-debugging-pipe", f"--user-data-dir={self.dir}", "--no-first-run",
                   "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--lang=zh-CN", "--disable-extensions",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync", "--ignore-certificate-errors",
                   "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", *flags, "about:blank"]
        self.process = subprocess.Popen(["bash", "-c", f'exec "$@" 3<&{down} 4>&{up}', "bash", *command], pass_fds=(down, up),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=clean_env({"HOME": self.dir}))
        os.close(down)
        os.close(up)
        self._last, self._rest, self.events = 0, b"", []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._down)
        os.close(self._up)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _read(self):
        """The next message of the browser."""
        while b"\0" not in self._rest:
            assert select.select([self._up], [], [], DEADLINE)[0], f"the browser says nothing for {DEADLINE} s"
            more = os.read(self._up, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        text, self._rest = self._rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **params):
        self._last += 1
        message = {"id": self._last, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self._down, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def page(self, **how):
        return Page(self, **how)


class Page:
    """A tab of its own, with cookies of its own."""

    def __init__(self, browser, width=1280, height=900, dark=False, script=True):
        self.browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "DOM", "Log"):
            self.call(f"{domain}.enable")
        self.size(width, height)
        self.dark(dark)
        if not script:
            self.call("Emulation.setScriptExecutionDisabled", value=True)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def dark(self, dark):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def size(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    # ---- going somewhere ----

    def _loads(self):
        return sum(1 for e in self.browser.events if e.get("sessionId") == self.session and e["method"] == "Page.loadEventFired")

    @contextlib.contextmanager
    def leaving(self):
        """What is done inside leads to another page."""
        before = self._loads()
        yield
        wait_for("the next page", DEADLINE, lambda: self.value("document.readyState") and self._loads() > before)

    def open(self, url):
        with self.leaving():
            answer = self.call("Page.navigate", url=url)
            assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        return self

    def open_again(self):
        return self.open(self.value("location.href"))

    # ---- looking ----

    def value(self, script):
        """What a script makes of the page; also where the page itself may run none."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"].get("exception", answer)
        return answer["result"].get("value")

    @property
    def url(self):
        return self.value("location.pathname + location.search")

    @property
    def text(self):
        return self.value("document.body ? document.body.innerText : ''")

    def wait_text(self, words):
        wait_for(f"{words!r} on the page", DEADLINE, lambda: words in self.text)

    def said(self):
        """What the page complained about: errors of scripts, and what its policy refused."""
        return [e["params"] for e in self.browser.events if e.get("sessionId") == self.session and
                (e["method"] == "Runtime.exceptionThrown" or (e["method"] == "Log.entryAdded" and e["params"]["entry"]["level"] == "error"
                                                              and "Failed to load resource" not in e["params"]["entry"]["text"]))]

    def axe(self):
        """The rules of WCAG 2.2 AA, and good practice, that the page breaks. Only where scripts may run."""
        self.value(AXE.read_text() + ";0")
        found = self.value("axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', "
                           "'best-practice']}).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join(' | ')))")
        return found

    def contrasts(self):
        """Of each text that is shown, its first letters and its contrast."""
        return self.value(CONTRASTS)

    def picture(self, path):
        """The whole page, as PNG."""
        height = self.value("document.documentElement.scrollHeight")
        width = self.value("document.documentElement.clientWidth")
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    # ---- the keyboard ----

    def press(self, name, shift=False):
        key, code, number, text = KEYS[name]
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def focused(self):
        """What the keyboard speaks to, as a short name: id, or text."""
        return self.value("(a => a === document.body ? '' : a.id || a.innerText.replace(/\\s+/g, '') || a.name)(document.activeElement)")

    def tab_to(self, name, most=60):
        """Presses Tab until this has the focus."""
        for _ in range(most):
            self.press("Tab")
            if self.focused() == name:
                return self
        raise AssertionError(f"{name!r} is not reached by Tab")

    def walk(self, most=80):
        """All that Tab reaches, in its order, from where it is."""
        seen = []
        for _ in range(most):
            self.press("Tab")
            here = self.focused()
            if here in ("", "BODY") or (seen and here == seen[0]):
                return seen
            seen.append(here)
        raise AssertionError(f"Tab does not come round: {seen}")

    # ---- passkeys ----

    def authenticator(self, verified=True):
        """A passkey's device, made of software; its owner is always there."""
        self.call("WebAuthn.enable")
        return self.call("WebAuthn.addVirtualAuthenticator", options={
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": verified,
            "automaticPresenceSimulation": True})["authenticatorId"]


