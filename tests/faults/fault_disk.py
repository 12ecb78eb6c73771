"""A small file system of a test's own that can be full or read-only. Three ways, the first that this machine allows:
a mount, a mount in a namespace of its own, or what needs no mount (a limit on file sizes, another user)."""
import os
import subprocess

TMPFS = ["mount", "-t", "tmpfs", "-o"]


def works(*command):
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Disk:
    """A folder of `mebibytes`. Commands on it run with `prefix`; `way` says how it was made."""

    def __init__(self, folder, mebibytes):
        self.folder, self.size = folder, f"size={mebibytes}m"
        os.makedirs(folder)
        self.prefix, self.holder, self.inside = [], None, []
        if works(*TMPFS, self.size, "sluice", folder):
            self.way = "mount"
            return
        holder = subprocess.Popen(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                                   f"mount -t tmpfs -o {self.size} sluice '{folder}' && echo made && exec cat"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if holder.stdout.readline().strip() == "made":
            self.way, self.holder = "namespace", holder
            self.prefix = self.inside = ["nsenter", "--target", str(holder.pid), "--user", "--mount", "--preserve-credentials"]
            return
        holder.wait()
        self.way = "limits"
        os.chmod(folder, 0o777)

    def sh(self, script):
        subprocess.run([*self.inside, "sh", "-c", script], check=True)

    def fill(self):
        """Nothing more can be written to any file."""
        if self.way == "limits":
            self.prefix = ["prlimit", "--fsize=0"]
        else:
            self.sh(f"cat /dev/zero > '{self.folder}/ballast' 2>/dev/null || true")

    def free(self):
        if self.way == "limits":
            self.prefix = []
        else:
            self.sh(f"rm '{self.folder}/ballast'")

    def set_read_only(self, on):
        if self.way != "limits":
            self.sh(f"mount -o remount,{'ro' if on else 'rw'} '{self.folder}'")
            return
        # Permissions do not stop root: then somebody else runs the command.
        subprocess.run(["chmod", "-R", "a-w" if on else "a+rwX", self.folder], check=True)
        self.prefix = ["setpriv", "--reuid=65534", "--clear-groups"] if on and os.geteuid() == 0 else []

    def close(self):
        if self.way == "mount":
            subprocess.run(["umount", self.folder], check=True)
        if self.holder is not None:
            self.holder.stdin.close()
            self.holder.wait()

    def __enter__(self):
        print(f"       disk: {self.way}", flush=True)
        return self

    def __exit__(self, *_):
        self.close()
