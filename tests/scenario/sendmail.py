"""A private Sendmail.  Debian's package conflicts with Postfix, so it is unpacked, not installed."""
from rig import *

PACKAGES = ('sendmail-bin', 'sendmail-base', 'sendmail-cf')
MC = '''divert(-1)
include(`%(cf)s/m4/cf.m4')
divert(0)dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mx.seller.example')dnl
define(`confPID_FILE', `%(dir)s/pid')dnl
define(`QUEUE_DIR', `%(dir)s/queue/q*')dnl
define(`ALIAS_FILE', `')dnl
QUEUE_GROUP(`mqueue', `P=%(dir)s/queue/q*, F=f, R=5, r=40')dnl
QUEUE_GROUP(`far', `P=%(dir)s/queue/far, F=f, R=5, r=40')dnl
define(`HELP_FILE', `')dnl
define(`STATUS_FILE', `')dnl
define(`confCW_FILE', `-o %(dir)s/none')dnl
define(`confCT_FILE', `-o %(dir)s/none')dnl
define(`confDEF_USER_ID', `nobody')dnl
define(`confTRUSTED_USER', `nobody')dnl
define(`confSERVICE_SWITCH_FILE', `%(dir)s/service.switch')dnl
define(`confDELIVERY_MODE', `background')dnl
define(`confTO_IDENT', `0')dnl
define(`confMIN_FREE_BLOCKS', `0')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')dnl
define(`confPRIVACY_FLAGS', `')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h %(sink)d')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Family=inet, Addr=127.0.0.1, Port=%(port)d, Name=MTA')dnl
INPUT_MAIL_FILTER(`missent', `S=%(milter)s, F=T, T=%(times)s')dnl
MAILER(`smtp')dnl
LOCAL_RULESETS
Squeuegroup
R$*@far.example	$# far
R$*	$# mqueue
'''


class Sendmail(Postfix):
    """The same questions as of Postfix: send, held, arrived."""
    kind = 'Sendmail'

    def __init__(self, scratch, milter, times='C:30s;S:30s;R:60s;E:5m'):
        self.root = scratch + '/sendmail-root'
        self.dir = scratch + '/sendmail'
        self.binary = self.root + '/usr/libexec/sendmail/sendmail'
        self.port, self.sink_port = free_port(), free_port()
        self.milter, self.times = milter, times
        self.sink = self.process = None
        self.places = set()  # queue directories in which something was seen
        atexit.register(self.stop)

    def unpack(self):
        """None, or why it cannot be had."""
        debs = self.root + '/debs'
        os.makedirs(debs)
        os.chmod(debs, 0o777)
        done = subprocess.run(['apt-get', 'download', *PACKAGES], cwd=debs, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            return 'its packages cannot be downloaded: ' + done.stdout.strip().splitlines()[-1]
        for deb in glob.glob(debs + '/*.deb'):
            subprocess.run(['dpkg', '-x', deb, self.root], check=True)
        os.chmod(self.binary, 0o755)  # set-group-ID in the package; a private one needs no right
        missing = [x for x in subprocess.run(['ldd', self.binary], stdout=subprocess.PIPE,
                                             text=True).stdout.splitlines() if 'not found' in x]
        return 'libraries are missing: ' + ' '.join(missing) if missing else None

    def start(self):
        # Several queue directories, one of them with folders for the parts of a message, and one of a group of its own, on
        # another file system.
        for folder in ('queue/q1', 'queue/q2/qf', 'queue/q2/df', 'queue/q2/xf', 'sink'):
            os.makedirs(self.dir + '/' + folder)
        far = tempfile.mkdtemp(dir='/dev/shm')
        atexit.register(shutil.rmtree, far, True)
        shutil.chown(far, 'nobody', 'nogroup')
        os.symlink(far, self.dir + '/queue/far')
        cf = self.root + '/usr/share/sendmail/cf'
        with open(self.dir + '/sendmail.mc', 'w') as f:
            lines = MC if self.milter else re.sub("INPUT_MAIL_FILTER.*\n", '', MC)
            f.write(lines % {'cf': cf, 'dir': self.dir, 'sink': self.sink_port, 'port': self.port,
                          'milter': self.milter, 'times': self.times})
        with open(self.dir + '/service.switch', 'w') as f:
            f.write('hosts files\naliases files\npasswd files\n')
        with open(self.dir + '/sendmail.cf', 'w') as f:
            subprocess.run(['m4', '-D_CF_DIR_=%s/' % cf, self.dir + '/sendmail.mc'], stdout=f,
                           check=True)
        subprocess.run(['chown', '-R', 'nobody:nogroup', self.dir], check=True)
        os.chmod(self.dir + '/queue', 0o700)
        self.start_sink()
        self.process = self.run_as(subprocess.Popen, '-bD', '-q2s')
        if not wait_for(lambda: listens(self.port) and listens(self.sink_port), 30):
            raise RuntimeError('Sendmail does not start')

    def run_as(self, how, *args, **more):
        """As nobody, on a host with a qualified name (else it sleeps for a minute at start)."""
        return how(['unshare', '--uts', 'sh', '-c', 'hostname mx.seller.example; exec "$@"', 'sh',
                    'setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups',
                    self.binary, '-C', self.dir + '/sendmail.cf', *args], **more)

    def stop(self):
        if self.process:
            with contextlib.suppress(OSError, ValueError):
                with open(self.dir + '/pid') as f:
                    os.kill(int(f.readline()), signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process.kill()
            self.process.wait()
            self.process = None
        self.stop_sink()

    def held(self):
        """A quarantined message's control file is hfID in place of qfID."""
        return [os.path.basename(x)[2:] for x in self.control_files('h')]

    def control_files(self, types):
        found = glob.glob('%s/queue/**/[%s]f?*' % (self.dir, types), recursive=True)
        self.places |= {os.path.relpath(os.path.dirname(x), self.dir + '/queue') for x in found}
        return found

    def settings(self):
        wrapper = self.dir + '/sendmail'
        with open(wrapper, 'w') as f:
            f.write('#!/bin/sh\nexec unshare --uts sh -c \'hostname mx.seller.example; exec "$@"\' sh setpriv'
                    ' --reuid nobody --regid nogroup --clear-groups %s "$@"\n' % self.binary)
        os.chmod(wrapper, 0o755)
        return ('mta = sendmail\nsendmail-config = "%s/sendmail.cf"\nsendmail-queue = "%s/queue"\n'
                'sendmail-program = "%s"\nrelease-program = "%s/missent-release"\n' % (
                    self.dir, self.dir, wrapper, BUILD))

    @staticmethod
    def queue_id(reply):
        return queue_id_of(reply)

    def flush(self):
        self.run_as(subprocess.run, '-q', stdout=subprocess.DEVNULL)

    def queue(self):
        return [{'queue_id': os.path.basename(x)[2:],
                 'queue_name': 'hold' if os.path.basename(x)[0] == 'h' else 'active'}
                for x in self.control_files('hq')]

    def log(self):
        return ''

    def reasons(self):
        done = self.run_as(subprocess.run, '-bp', '-qQ', stdout=subprocess.PIPE, text=True)
        return done.stdout


def queue_id_of(reply):
    """From "2.0.0 5AMK... Message accepted for delivery"."""
    return reply[1].split()[1]


def both(scratch, milter, tap, settings='', times='C:30s;S:30s;R:60s;E:5m'):
    """A Postfix and a Sendmail, started; the second is left out, and said so, if it cannot be had."""
    postfix = Postfix(scratch, milter, settings=settings)
    postfix.start()
    yield postfix
    postfix.stop()
    sendmail = Sendmail(scratch, milter, times)
    why = sendmail.unpack() if os.geteuid() == 0 else 'it needs root for a host name of its own'
    if why:
        tap.skip('Sendmail', why)
        return
    sendmail.start()
    yield sendmail
    sendmail.stop()
