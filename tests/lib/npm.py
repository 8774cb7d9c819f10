"""npm.py - what a test or a benchmark needs of npm: a folder's package.json and scripts, installed under .cache once for each version of it."""
import shutil
import subprocess


def missing(here, there):
    """None when `there` has what `here`/package.json names, and a copy of what stands beside it; else why not."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not here"
    there.mkdir(parents=True, exist_ok=True)
    for source in here.iterdir():
        shutil.copy(source, there)
    stamp, wanted = there / "installed", (here / "package.json").read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return None
    ran = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=there, capture_output=True, text=True, timeout=600)
    if ran.returncode:
        return "npm install failed: " + (ran.stderr.strip().splitlines() or ["no reason given"])[0]
    stamp.write_text(wanted)
    return None
