"""From a stock server to one that is observed: does literally what the README says, on fresh roots of Debian 12 and 13, with
Postfix and with Sendmail, and prints the commands and the minutes that it took.  Roots and packages are brought from
Debian's mirrors: `contrib/check --other` runs it, not each `contrib/check`.
Arguments: CODENAME=FOLDER OF .debs ... ; --source: from source instead of the packages, CODENAME alone; Postfix or Sendmail:
that alone.  MISSENT_CCACHE: a folder for ccache, so that what was compiled for one MTA is not compiled for the other; the first
run's minutes are those of a server that has no ccache, and the second says how much was not compiled."""
import pty
import resource
import select

from machine import *

tap = Tap()
S = scratch_folder()
FROM_SOURCE = '--source' in sys.argv
AIM_MINUTES, AIM_COMMANDS = 5, 6
MTAS = {'Postfix': ['postfix'], 'Sendmail': ['sendmail-bin', 'sensible-mda', 'm4', 'make']}
ONLY = [x for x in sys.argv[1:] if x in MTAS]
CCACHE = os.environ.get('MISSENT_CCACHE') if FROM_SOURCE else None


def commands():
    """What stands in the README to be typed, without its remarks, until mail is observed: to install it the one way or the
    other, and the first steps."""
    with open(SOURCE + '/README.md') as f:
        text = f.read()
    sections = [re.search(begin + r'((?s:.*?))' + end, text).group(1) for begin, end in (
        ('\nOr from source:\n', '\n## ') if FROM_SOURCE else ('\n## Install it\n', '\nOr from source:\n'),
        ('\n## The first hour\n', '\n### A mail, and its verdict\n'), ('\n### The first held mail\n', '\nWhen it is '))]
    lines = re.findall(r'^ {4}((?:sudo|autoreconf|make|contrib/).*)', ''.join(sections), re.M)
    # The packages are at hand: who only installs them does not make them.
    return [x for x in (re.sub(r'\s+#.*', '', line) for line in lines) if not x.startswith('contrib/deb')]


def customers():
    """The example of a customers.csv."""
    with open(SOURCE + '/README.md') as f:
        return re.search(r'^ {4}account,kind,value\n(?: {4}.*\n)+', f.read(), re.M).group(0).replace(' ' * 4, '')


class Stock(Machine):
    """A fresh root with an MTA as its package leaves it."""

    def __init__(self, root, folder):
        super().__init__(folder)
        self.stock = root

    def lay(self):
        rw = self.dir + '/rw'
        os.makedirs(rw)
        why = self.mount('-t', 'tmpfs', '-o', 'size=4g', 'tmpfs', rw)
        if why:
            return why
        os.makedirs(rw + '/up')
        os.makedirs(rw + '/work')
        return self.mount('-t', 'overlay', 'overlay', '-o',
                          'lowerdir=%s,upperdir=%s/up,workdir=%s/work' % (self.stock, rw, rw), self.root)

    def outside(self, script):
        """With the network of this machine, which the booted one has not: (status, output)."""
        done = subprocess.run(['systemd-nspawn', '-q', '-D', self.root, '--register=no', '--keep-unit', '--link-journal=no',
                               '--pipe', '-E', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-c', script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def typed(self, line):
        """As who sits at a terminal: what is proposed is taken by Return, and applied on a yes."""
        keyboard, terminal = pty.openpty()
        cached = ['CCACHE_DIR=' + CCACHE, 'PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin'] if CCACHE else []
        process = subprocess.Popen(self.inside('env', 'TERM=dumb', *cached, 'sh', '-c', 'cd /root/missent && ' + line), stdin=terminal,
                                   stdout=terminal, stderr=terminal, start_new_session=True)
        os.close(terminal)
        said = b''
        while True:
            if not select.select([keyboard], [], [], 0.5)[0]:
                if re.search(rb'[:?\]] ?$', said):
                    os.write(keyboard, b'y\n' if b'Apply this' in said.splitlines()[-1] else b'\n')
                continue
            try:
                more = os.read(keyboard, 4096)
            except OSError:  # the last who had the terminal is gone
                break
            if not more:
                break
            said += more
        os.close(keyboard)
        return process.wait(), said.decode(errors='replace').replace('\r', '')

    def cached(self):
        """How much was not compiled, in words."""
        if not CCACHE:
            return ''
        said = dict(x.split('\t') for x in self.sh('CCACHE_DIR=%s ccache --print-stats' % CCACHE)[1].splitlines())
        hits = int(said['direct_cache_hit']) + int(said['preprocessed_cache_hit'])
        return ', %d of %d files out of ccache' % (hits, hits + int(said['cache_miss']))

    def submit(self, text, sender, to):
        """A mail of a program on that host."""
        return self.run('/usr/sbin/sendmail', '-f', sender, to, stdin=text)


def prepared(box, packages, debs):
    """None, or why not; what a stock server has, and what is to be installed, brought to it."""
    why = box.lay()
    if why:
        return why
    box.write('/etc/hosts', '127.0.0.1 mx.seller.example localhost\n127.0.0.2 seller.example\n')
    box.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755)
    code, out = box.outside('echo postfix postfix/main_mailer_type select Internet Site | debconf-set-selections; '
                            'echo postfix postfix/mailname string mx.seller.example | debconf-set-selections; apt-get update -qq && '
                            'apt-get install -y -qq --no-install-recommends ' + ' '.join(packages))
    os.unlink(box.root + '/usr/sbin/policy-rc.d')
    if code:
        return out[-300:].replace('\n', ' ')
    # There is no DNS in there, which a server has; Sendmail asks it about every domain.
    nodns = box.root + '/etc/mail/service.switch-nodns'
    if os.path.exists(nodns):
        shutil.copy(nodns, box.root + '/etc/mail/service.switch')
    tree = box.root + '/root/missent'
    subprocess.run([SOURCE + '/contrib/clean-copy', tree], check=True)
    box.write('/root/missent/customers.csv', customers())
    begun = time.monotonic()
    if debs:
        os.makedirs(tree + '/build-deb')
        for path in glob.glob(debs + '/missent_*.deb') + glob.glob(debs + '/missent-review_*.deb'):
            shutil.copy(path, tree + '/build-deb')
        code, out = box.outside('cd /root/missent && apt-get install -y -qq --download-only ./build-deb/*.deb')
    else:
        code, out = box.outside('cd /root/missent && contrib/install-packages build run')
        if code == 0 and CCACHE:
            code, out = box.outside('apt-get install -y -qq --no-install-recommends ccache')
    box.spent = time.monotonic() - begun
    return out[-300:].replace('\n', ' ') if code else None


def processor_seconds():
    """Of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def follow(box, name):
    if CCACHE:
        box.sh('CCACHE_DIR=%s ccache -z' % CCACHE)
    done, n, used, observing = box.spent, 0, processor_seconds(), None
    for line in commands():
        begun = time.monotonic()
        code, out = box.typed(line)
        done += time.monotonic() - begun
        n += 1
        if not tap.ok(code == 0, '%s: %s, after %.1f minutes' % (name, line, done / 60), out):
            return
        if line.startswith('sudo missent init'):
            observing = n
            state = box.sh('systemctl is-active missent missent-agent')[1]
            tap.same(state.split(), ['active', 'active'], '... the services are at work')
            code, out = box.run('missent', 'config', 'show')
            tap.ok(code == 0 and 'mode = "observe"' in out, '... and observe', out)
    tap.ok(observing, '%s: %d commands until it observes, %d in all, %.1f minutes (%.1f of a processor), at a load of %.0f%s' % (
        name, observing or 0, n, done / 60, (processor_seconds() - used) / 60, os.getloadavg()[0], box.cached()))
    if (observing or 0) > AIM_COMMANDS or done / 60 > AIM_MINUTES:
        print('# %s: more than %d commands or %d minutes' % (name, AIM_COMMANDS, AIM_MINUTES), flush=True)
    judged = box.journal('missent').count(': action=')
    code, out = box.submit(message('an invoice', RIGHT), 'billing@mx.seller.example', 'kunde@alpha.example')
    tap.ok(code == 0 and wait_for(lambda: box.journal('missent').count(': action=') > judged),
           '... a mail of a program on this host is seen', out + box.journal('missent')[-1500:])


def main():
    given = dict((x.split('=', 1) + [None])[:2] for x in sys.argv[1:] if x != '--source' and x not in MTAS)
    for codename, debs in given.items():
        done = subprocess.run([SOURCE + '/contrib/other', 'stock', codename], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            tap.skip('from stock to observing on ' + codename, done.stdout.strip())
            continue
        for mta, packages in [x for x in MTAS.items() if not ONLY or x[0] in ONLY]:
            name = '%s, %s, %s' % (codename, mta, 'from source' if FROM_SOURCE else 'with the package')
            box = Stock(done.stdout.strip(), '%s/%s-%s' % (S, codename, mta))
            why = prepared(box, packages, None if FROM_SOURCE else debs) or box.boot(*(['--bind=' + CCACHE] if CCACHE else []))
            if why:
                tap.skip(name, why)
                continue
            box.sh('systemctl start ' + mta.lower())
            if tap.ok(wait_for(lambda: box.sh('systemctl is-active ' + mta.lower())[0] == 0, 60),
                      name + ': the MTA runs, as on a server', box.journal(mta.lower())[-500:]):
                follow(box, name)
            box.stop()


main()
tap.done()
