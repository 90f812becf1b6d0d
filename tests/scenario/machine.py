"""A machine of its own: systemd boots in a container over this one's files, none of which it changes.
Postfix and missent are installed there as an administrator would, with users, groups and units."""
from rig import *
from sendmail import queue_id_of

TARGET = '''[Unit]
Requires=basic.target
After=basic.target
AllowIsolate=yes
'''

MAIN_CF = '''compatibility_level = 3.6
myhostname = mx.seller.example
inet_interfaces = loopback-only
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
maillog_file =
relayhost = [127.0.0.1]:2525
smtp_host_lookup = native
alias_maps =
alias_database =
'''
MC = '''define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h 2525')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch-nodns')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
'''

def paths():
    """Where BUILD installs what it makes."""
    names = ('sbindir', 'pkglibexecdir', 'sysconfdir', 'localstatedir')
    out = subprocess.run(['make', '-s', '-C', BUILD, '--eval', 'where: ; @echo ' + ' '.join('$(%s)' % n for n in names),
                          'where'], stdout=subprocess.PIPE, text=True).stdout
    return dict(zip(names, out.split()))


class Machine:
    def __init__(self, scratch):
        self.dir = scratch + '/machine'
        self.root = self.dir + '/root'
        self.process = self.leader = self.hop = None
        self.mounted = []
        os.makedirs(self.root)
        atexit.register(self.stop)

    def mount(self, *args):
        done = subprocess.run(['mount', *args], stderr=subprocess.PIPE, text=True)
        if done.returncode == 0:
            self.mounted.append(args[-1])
        return done.stderr.strip()

    def lay(self):
        """The files; None, or why there can be none."""
        if os.geteuid() != 0:
            return 'only root can boot a container'
        if not shutil.which('systemd-nspawn'):
            return 'systemd-nspawn is not installed'
        rw = self.dir + '/rw'
        os.makedirs(rw)
        why = self.mount('-t', 'tmpfs', '-o', 'size=2g', 'tmpfs', rw)
        if why:
            return why
        os.makedirs(rw + '/up')
        os.makedirs(rw + '/work')
        why = self.mount('-t', 'overlay', 'overlay', '-o', 'lowerdir=/,upperdir=%s/up,workdir=%s/work' % (rw, rw), self.root)
        with contextlib.suppress(OSError):  # all manual pages are looked at anew after each package; nobody searches them there
            os.remove(self.root + '/var/lib/man-db/auto-update')
        return why

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, 'w') as f:
            f.write(text)
        os.chmod(self.root + path, mode)

    def install(self, *packages):
        """Debian's packages, in there alone, with what conflicts with them taken out; None, or why it cannot."""
        self.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755)
        done = subprocess.run(
            ['systemd-nspawn', '-q', '-D', self.root, '--register=no', '--keep-unit',
             '--link-journal=no', '--pipe', '-E',
             'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', *packages],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        os.unlink(self.root + '/usr/sbin/policy-rc.d')
        return ' '.join(done.stdout.split()[-40:]) if done.returncode else None

    def boot(self, *options):
        """None, or why it does not."""
        self.write('/etc/systemd/system/bare.target', TARGET)
        self.write('/etc/hostname', 'mx.seller.example\n')
        if os.environ.get('MS_SANITIZERS'):  # the units allow no tracing, which the check for leaks needs
            self.write('/etc/systemd/system.conf.d/sanitizers.conf',
                       '[Manager]\nDefaultEnvironment=ASAN_OPTIONS=detect_leaks=0\n')
        with open(self.dir + '/console', 'wb') as console:
            self.process = subprocess.Popen(
                ['systemd-nspawn', '-q', '-D', self.root, '--private-network', '--register=no', '--keep-unit',
                 '--link-journal=no', '--console=pipe', '--hostname=mx.seller.example', *options, '--boot', 'systemd.unit=bare.target'],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        if not wait_for(self.find_leader, 30) or not wait_for(
                lambda: self.run('systemctl', 'is-active', 'bare.target')[0] == 0, 60):
            with open(self.dir + '/console', errors='replace') as f:
                return 'systemd does not start in a container: ' + f.read()[-300:].replace('\n', ' ')
        return None

    def start_sink(self):
        """The next hop: this machine's program, in the network of that one."""
        self.sink = self.dir + '/sink'
        os.makedirs(self.sink)
        os.chmod(self.sink, 0o777)
        self.hop = subprocess.Popen(
            ['nsenter', '-t', self.leader, '-n', 'smtp-sink', '-u', 'nobody', '-c', '-d', self.sink + '/%s.',
             '127.0.0.1:2525', '64'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def find_leader(self):
        out = subprocess.run(['pgrep', '-P', str(self.process.pid)], stdout=subprocess.PIPE, text=True).stdout.split()
        self.leader = out[0] if out else None
        return self.leader

    def inside(self, *command):
        return ['nsenter', '-t', self.leader, '-m', '-u', '-i', '-n', '-p', '-r', '-w', 'env', '-u', 'TMPDIR', *command]

    def run(self, *command, stdin=None):
        """(exit status, what it printed)"""
        done = subprocess.run(self.inside(*command), stdin=None if stdin is not None else subprocess.DEVNULL,
                              input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def sh(self, script):
        return self.run('sh', '-c', script)

    def python(self, code, *args):
        """A program's result, as JSON."""
        done = subprocess.run(self.inside('python3', '-c', code, *args), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def journal(self, *units):
        return self.run('journalctl', '--no-pager', '-o', 'cat', *('-u' + u for u in units))[1]

    def send(self, text, to, sender='billing@seller.example', port=25):
        """The reply to a mail of a client on the same host: (code, text)."""
        return tuple(self.python('''
import json, smtplib, sys
port, text, sender, *to = sys.argv[1:]
with smtplib.SMTP('127.0.0.1', int(port), timeout=120) as smtp:
    smtp.ehlo()
    code, reply = smtp.mail(sender)
    for address in to:
        if code == 250:
            code, reply = smtp.rcpt(address)
    if code == 250:
        code, reply = smtp.data(text.encode())
    print(json.dumps([code, reply.decode(errors='replace')]))
''', str(port), text, sender, *to))

    def stop(self):
        if self.hop:
            self.hop.kill()
            self.hop.wait()
            self.hop = None
        if self.process:
            if self.leader:
                with contextlib.suppress(OSError):
                    os.kill(int(self.leader), signal.SIGRTMIN + 4)  # systemd: power off
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            self.process.kill()
            self.process.wait()
            self.process = None
        for path in reversed(self.mounted):
            subprocess.run(['umount', '-l', path])
        self.mounted = []


class WithPostfix(Machine):
    kind, services = 'Postfix', 'postfix'
    queue_id = staticmethod(queue_id)

    def prepare(self):
        with open('/usr/share/postfix/master.cf.dist') as f:
            self.write('/etc/postfix/master.cf', f.read())
        with open(SOURCE + '/contrib/postfix-main.cf') as f:
            self.write('/etc/postfix/main.cf', MAIN_CF + f.read())

    def settings(self, text):
        return text

    def join(self):
        return 'usermod -aG postfix missent'

    def held(self):
        return self.run('postqueue', '-j')[1].count('"queue_name": "hold"')


class WithSendmail(Machine):
    kind, services = 'Sendmail', 'sendmail'
    queue_id = staticmethod(queue_id_of)

    def prepare(self):
        why = self.install('sendmail-bin')
        if why:
            return why
        with open(self.root + '/etc/mail/sendmail.mc') as f:
            mc = f.read()
        with open(SOURCE + '/contrib/sendmail.mc') as f:
            mc = mc.replace('MAILER_DEFINITIONS', MC + f.read() + 'MAILER_DEFINITIONS')
        self.write('/etc/mail/sendmail.mc', mc)
        for name in ('passwd', 'group', 'shadow', 'gshadow'):  # where Postfix never was
            path = '%s/etc/%s' % (self.root, name)
            with open(path) as f:
                lines = [x for x in f if not x.startswith('post')]
            with open(path, 'w') as f:
                f.writelines(lines)
        self.write('/etc/hosts', '127.0.0.1 mx.seller.example localhost\n')

    def settings(self, text):
        return re.sub('socket  *= .*\nsocket-group .*', 'socket = "unix:/run/missent/missent.sock"\nmta = sendmail', text)

    def join(self):
        return 'm4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf'

    def held(self):
        return len(glob.glob(self.root + '/var/spool/mqueue/hf*'))
