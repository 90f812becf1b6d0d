"""A private Postfix and a missentd below one scratch folder, for scenario tests.

Everything is on loopback and on free ports, and is ended when the scenario ends.  An
installed Postfix is not touched: only its programs are used.
"""
import atexit
import base64
import contextlib
import glob
import json
import os
import quopri
import random
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get('BUILD', SOURCE))
# Programs built with sanitizers are several times slower.
SLOW = 5 if os.environ.get('MS_SANITIZERS') else 1
# So is everything when several scenarios run side by side.
PATIENCE = int(os.environ.get('MS_PATIENCE', 1))
USER = 'nobody'
# A shell has jobs behind & ignore the second, and nohup the first: what is started here would, too.
for ignored in (signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(ignored) == signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)


class Tap:
    """Prints one line a check; the process ends with 1 when one failed."""

    def __init__(self):
        self.n = self.failed = 0

    def ok(self, fine, name, more=''):
        self.n += 1
        print('%s %d - %s' % ('ok' if fine else 'not ok', self.n, name), flush=True)
        if not fine:
            self.failed += 1
            for line in str(more).splitlines()[-30:]:
                print('# ' + line, flush=True)
        return fine

    def same(self, got, want, name):
        return self.ok(got == want, name, 'got  %r\nwant %r' % (got, want))

    def skip(self, name, why):
        self.n += 1
        print('ok %d - %s # SKIP %s' % (self.n, name, why), flush=True)

    def done(self):
        print('1..%d' % self.n, flush=True)
        sys.exit(1 if self.failed else 0)


def wait_for(what, seconds=15, step=0.05):
    """What `what()` returns once it is true, or its last value when the time is over."""
    if seconds >= 5:  # a short wait is for something that shall not come
        seconds *= PATIENCE
    end = time.monotonic() + seconds * SLOW
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


def catches(pid, number, how='SigCgt'):
    """Does that process have a handler for that signal yet, or (SigBlk) does it let it wait?"""
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'^%s:\s*(\w+)' % how, f.read(), re.M).group(1), 16) >> (number - 1) & 1


kept_ports = []


def free_port():
    """One below those that the kernel gives to connections: else one of these may have it before it is used.
    No other scenario gets it while this one runs: a name in the abstract namespace says that it is taken."""
    with open('/proc/sys/net/ipv4/ip_local_port_range') as f:
        low = int(f.read().split()[0])
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(('127.0.0.1', random.randrange(10000, low) if low > 10000 else 0))
            port = s.getsockname()[1]
            mark = socket.socket(socket.AF_UNIX)
            mark.bind('\0missent-scenario-port-%d' % port)
            kept_ports.append(mark)
            return port


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


def scratch_folder():
    path = tempfile.mkdtemp(prefix='missent-scenario-')
    os.chmod(path, 0o755)
    if not os.environ.get('MISSENT_KEEP'):
        atexit.register(shutil.rmtree, path, True)
    return path


def reachable_build():
    """BUILD, or a copy of its programs where the daemon's user comes to: a checkout may be below /root."""
    as_user = ['setpriv', '--reuid', USER, '--regid', 'nogroup', '--clear-groups']
    if os.geteuid() != 0 or subprocess.run(
            [*as_user, 'test', '-x', BUILD + '/missent-reader'], stderr=subprocess.DEVNULL).returncode == 0:
        return BUILD
    copy = scratch_folder()
    for path in glob.glob(BUILD + '/missent*') + glob.glob(BUILD + '/tests/tools/*'):
        if os.path.isfile(path) and os.access(path, os.X_OK):
            to = os.path.join(copy, os.path.relpath(path, BUILD))
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy2(path, to)
    return copy


BUILD = reachable_build()


def message(subject, body, to='kunde@alpha.example', sender='billing@seller.example', more=''):
    return ('From: Billing <%s>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%f@seller.example>\r\n'
            '%s\r\n%s' % (sender, to, subject, time.time(), more, body.replace('\n', '\r\n')))


MIXED = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n'


def pdf(text):
    """A PDF of one page, as an attachment that does not say so."""
    stream = 'BT /F 12 Tf 40 700 Td (%s) Tj ET' % text
    document = ('%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n'
                '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n'
                '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R'
                '/Resources<</Font<</F 5 0 R>>>>>>endobj\n'
                '4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n'
                '5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n'
                'trailer<</Root 1 0 R>>\n' % (len(stream), stream))
    return ('--b\nContent-Type: text/plain\n\nPlease find your invoice attached.\n--b\n'
            'Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n'
            'Content-Disposition: attachment; filename=document\n\n%s--b--\n'
            % base64.encodebytes(document.encode()).decode())


class Redis:
    def __init__(self, scratch):
        self.dir = scratch + '/redis'
        os.makedirs(self.dir, exist_ok=True)
        self.socket = self.dir + '/redis.sock'
        self.process = None
        atexit.register(self.stop)

    def start(self, *more):
        self.process = subprocess.Popen(
            ['redis-server', '--port', '0', '--unixsocket', self.socket, '--unixsocketperm', '777',
             '--dir', self.dir, '--save', '', '--appendonly', 'no', '--daemonize', 'no', *more],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # One that wants a password first answers too.
        return wait_for(lambda: self.cli('PING').startswith(('PONG', 'NOAUTH')))

    def cli(self, *args):
        done = subprocess.run(['redis-cli', '-s', self.socket, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return done.stdout.strip()

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None


class Missent:
    """A missentd with its own configuration, run as an ordinary user."""

    def __init__(self, scratch, mode='enforce', more='', reader='', directory='', policies=None,
                 mapping=None, kinds=None, host='mx.seller.example', guard='enabled = no'):
        self.dir = scratch + '/missent'
        self.conf = self.dir + '/missent.conf'
        self.socket = self.dir + '/missent.sock'
        self.state = self.dir + '/state'
        self.process = None
        for folder in (self.dir, self.dir + '/policies', self.state):
            os.makedirs(folder, exist_ok=True)
        self.mode, self.more, self.reader, self.directory = mode, more, reader, directory
        self.host, self.guard = host, guard  # tests send the same again and again
        self.write_conf()
        shutil.copy(kinds or SOURCE + '/policies/kinds.conf', self.dir + '/policies/kinds.conf')
        self.write_policy(policies or POLICY)
        if not os.path.exists(self.dir + '/site.key'):
            self.tool('directory', 'key')
        self.chown()
        if mapping is not None:
            self.load(mapping)
        atexit.register(self.stop)

    def chown(self):
        if os.geteuid() == 0:
            subprocess.run(['chown', '-R', USER, self.dir], check=True)

    def write_conf(self, extra=''):
        with open(self.conf, 'w') as f:
            f.write('mode = %s\nsocket = "unix:%s"\nsocket-mode = "0666"\nuser = "%s"\n'
                    'state-dir = "%s"\nhost = "%s"\nlog = stderr\n%s\n%s\n'
                    'reader { program = "%s/missent-reader"\n%s }\n'
                    'directory {\n%s }\n%s' % (
                        self.mode, self.socket, USER, self.state, self.host, self.more, extra, BUILD,
                        self.reader, self.directory, 'guard {\n%s }\n' % self.guard if self.guard else ''))

    def write_policy(self, text, name='test.conf'):
        with open(self.dir + '/policies/' + name, 'w') as f:
            f.write(text)

    def tool(self, *args, stdin=None):
        done = subprocess.run([BUILD + '/missent', '-c', self.conf, *args], input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.code = done.returncode
        return done.stdout

    def load(self, rows, *options):
        text = 'account,kind,value\n' + ''.join('%s,%s,"%s"\n' % r for r in rows)
        out = self.tool('directory', 'import', '--max-shrink', '100', '--max-moved', '100', *options, '-', stdin=text)
        if self.code != 0:
            raise RuntimeError(out)
        self.chown()
        return out

    def start(self, wrapper=()):
        self.log = open(self.dir + '/log', 'ab')
        mark = self.mark()  # what an earlier one wrote, or left, says nothing of this one
        self.process = subprocess.Popen([*wrapper, BUILD + '/missentd', '-c', self.conf],
                                        stderr=self.log, stdout=self.log)
        # A complaint may have the word, too.
        up = wait_for(lambda: 'started, version=' in self.tail(mark) or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise RuntimeError('missentd did not start: ' + self.tail(mark))
        return up

    def tail(self, since=0):
        with open(self.dir + '/log', errors='replace') as f:
            f.seek(since)
            return f.read()

    def mark(self):
        return os.path.getsize(self.dir + '/log')

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(40)
            self.process.kill()
        code = self.process.wait() if self.process else None
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def audit(self, events=False):
        """The verdicts, or what people did."""
        return [x for x in map(json.loads, trail(self.state + '/audit'))
                if x['type'] == ('act' if events else 'message')]

    def trail(self):
        """All of the audit trail, a line each."""
        return '\n'.join(trail(self.state + '/audit'))

    def children(self):
        """Process IDs of the supervisor and its workers."""
        found, todo = [], [self.process.pid]
        while todo:
            out = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(todo.pop())],
                                 stdout=subprocess.PIPE, text=True).stdout.split()
            found += out
            todo += out
        return [int(p) for p in found]


def trail(folder):
    """The entries of an audit trail: of C2SP tlog-tiles, as others read it."""
    def number(path):
        part = path[len(folder) + 1:].replace('tile/entries/', '').replace('head.', '')
        return int(part.replace('x', '').replace('/', ''))
    whole = [p for p in glob.glob(folder + '/tile/entries/**', recursive=True)
             if os.path.isfile(p) and '.p/' not in p and not p.endswith('.new')]
    found = []
    for path in sorted(whole, key=number) + glob.glob(folder + '/head.*'):
        data = open(path, 'rb').read()
        while len(data) >= 2:
            n = data[0] << 8 | data[1]
            if len(data) < 2 + n:
                break
            found.append(data[2:2 + n].decode())
            data = data[2 + n:]
    return found


POLICY = '''
policy "invoices" {
	sender  = {"billing@seller.example"}
	kinds   = {"customer-number", "invoice-number", "iban", "vat-id", "email", "subscription-id",
	           "billing-address"}
	require = {"customer-number", "subscription-id", "iban"}
	max-recipients = 50
	max-visible-recipients = 10
	tolerate = {"image"}
}
'''
MAPPING = [
    ('AC-1', 'recipient', 'kunde@alpha.example'), ('AC-1', 'customer-number', 'C-10001'),
    ('AC-1', 'iban', 'DE89 3704 0044 0532 0130 00'),
    ('AC-2', 'recipient', '@beta.example'), ('AC-2', 'customer-number', 'C-10002'),
    ('AC-2', 'subscription-id', '6f1d2a33-0b64-4c02-9d7e-5a1f0c9b7e21'),
    ('house', 'recipient', '@seller.example'), ('house', 'vat-id', 'DE136695976'),
]
RIGHT = 'Dear customer,\nyour customer number: C-10001\nVAT ID DE136695976\n'
WRONG = 'Dear customer,\nyour customer number: C-10002\nVAT ID DE136695976\n'


def tells(text):
    """Whether a text, or bytes, has WRONG's customer number as a word: queue IDs, times and process numbers are free
    to have its digits in them."""
    if isinstance(text, bytes):
        text = text.decode('latin-1')
    return re.search('(?<![0-9A-Za-z])(C-?)?10002(?![0-9A-Za-z])', text) is not None


def plain(data):
    """A mail's words, whatever its lines."""
    return ' '.join(quopri.decodestring(data).decode('utf-8', 'replace').split())


def action_policies(*words):
    """For each action a policy for the sender of that name, which does it for a mismatch."""
    return ''.join('''
policy "%(word)s" {
	sender = {"%(word)s@seller.example"}
	kinds = {"customer-number"}
	on-mismatch = %(word)s
}
''' % {'word': word} for word in words)


class Postfix:
    """master, smtpd, cleanup, qmgr and smtp-sink as the next hop."""

    def __init__(self, scratch, milter, action='tempfail', settings='', networks=''):
        self.dir = scratch + '/postfix'
        self.etc = self.dir + '/etc'
        self.port, self.sink_port = free_port(), free_port()
        for name in ('etc', 'queue', 'data', 'log', 'sink'):
            os.makedirs(self.dir + '/' + name)
        shutil.chown(self.dir + '/data', 'postfix')
        shutil.chown(self.dir + '/sink', 'nobody')
        self.write(milter, action, settings, networks)
        self.sink = None
        atexit.register(self.stop)

    def write(self, milter, action, settings, networks):
        with open(self.etc + '/main.cf', 'w') as f:
            f.write(MAIN_CF % {'dir': self.dir, 'milter': milter, 'action': action,
                               'sink': self.sink_port, 'networks': networks} + settings)
        with open(self.etc + '/master.cf', 'w') as f:
            f.write(MASTER_CF % self.port)

    def start_sink(self):
        self.sink = subprocess.Popen(
            ['smtp-sink', '-u', 'nobody', '-c', '-d', self.dir + '/sink/%s.',
             '127.0.0.1:%d' % self.sink_port, '256'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop_sink(self):
        if self.sink:
            self.sink.kill()
            self.sink.wait()
            self.sink = None

    def start(self):
        self.start_sink()
        done = subprocess.run(['postfix', '-c', self.etc, 'start'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if not wait_for(lambda: listens(self.port) and listens(self.sink_port)):
            raise RuntimeError('Postfix does not start: ' + done.stdout + self.log())

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.dir + '/log/maillog', errors='replace') as f:
                return f.read()
        return ''

    def stop(self):
        if self.sink is None:
            return
        subprocess.run(['postfix', '-c', self.etc, 'stop'], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        self.stop_sink()

    def send(self, text, to=('kunde@alpha.example',), sender='billing@seller.example'):
        """The reply to the end of the message: (code, text)."""
        with smtplib.SMTP('127.0.0.1', self.port, timeout=120) as smtp:
            return self.send_on(smtp, text, to, sender)

    def send_on(self, smtp, text, to, sender='billing@seller.example'):
        smtp.ehlo_or_helo_if_needed()
        code, reply = smtp.mail(sender)
        if code == 250:
            for address in to:
                code, reply = smtp.rcpt(address)
        if code == 250:
            data = text if isinstance(text, bytes) else text.encode()
            code, reply = smtp.data(data)
        else:
            smtp.rset()
        return code, reply.decode(errors='replace')

    def sendmail(self, text, to, sender='billing@seller.example'):
        return subprocess.run(['sendmail', '-C', self.etc, '-f', sender, '-i', '--', *to],
                              input=text.replace('\r\n', '\n'), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def queue(self):
        out = subprocess.run(['postqueue', '-c', self.etc, '-j'], stdout=subprocess.PIPE,
                             text=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    kind = 'Postfix'

    def held(self):
        return [m['queue_id'] for m in self.queue() if m['queue_name'] == 'hold']

    def settings(self):
        """How missent is told of it."""
        return 'postfix-config = "%s"\nrelease-program = "%s/missent-release"\n' % (self.etc, BUILD)

    def desk(self, more='', port=None):
        return 'desk {\nsubmit = "smtp://127.0.0.1:%d"\nsocket = "%s/agent.sock"\n%s }\n' % (
            port or self.port, os.path.dirname(self.dir), more)

    @staticmethod
    def queue_id(reply):
        return queue_id(reply)

    def flush(self):
        subprocess.run(['postqueue', '-c', self.etc, '-f'])

    def delivered(self):
        """The messages that arrived at the sink, as text."""
        out = []
        for path in sorted(glob.glob(self.dir + '/sink/*')):
            with open(path, errors='replace') as f:
                out.append(f.read())
        return out

    def copies(self, word):
        """[(recipients, message as bytes with LF)] of what arrived with `word` in it."""
        out = []
        for path in sorted(glob.glob(self.dir + '/sink/*')):
            with open(path, 'rb') as f:
                data = f.read().replace(b'\r\n', b'\n')
            if word.encode() not in data:
                continue
            to = sorted(x.split(b'<')[1].split(b'>')[0].decode()
                        for x in data.split(b'\n\n')[0].split(b'\n') if x.startswith(b'X-Rcpt-Args:'))
            out.append((to, data))
        return out

    def arrived(self, word, n=1, seconds=15):
        """Waits for n messages with `word` at the sink; returns how many came."""
        count = lambda: sum(word in m for m in self.delivered())
        wait_for(lambda: count() >= n, seconds)
        return count()


def queue_id(reply):
    """From "2.0.0 Ok: queued as 4Xyz"."""
    return reply[1].split('queued as')[-1].strip()


MAIN_CF = '''
compatibility_level = 3.6
config_directory = %(dir)s/etc
queue_directory = %(dir)s/queue
data_directory = %(dir)s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = %(dir)s/log/maillog
maillog_file_prefixes = %(dir)s/log
myhostname = mx.seller.example
mydomain = seller.example
myorigin = seller.example
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
local_transport = error:no local delivery
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8 %(networks)s
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
default_transport = smtp
relayhost = [127.0.0.1]:%(sink)d
message_size_limit = 104857600
mailbox_size_limit = 0
header_size_limit = 1048576
in_flow_delay = 0
enable_long_queue_ids = yes
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_recipient_limit = 2000
smtpd_milters = %(milter)s
non_smtpd_milters = %(milter)s
milter_default_action = %(action)s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
'''
MASTER_CF = '''
127.0.0.1:%d inet n - n - 100 smtpd
pickup    unix  n       -       n       1       1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       2       1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
'''


# ---- DKIM, with Debian's python3-dkim, which is for Debian's own python3 ----
DKIM = '''
import sys, dkim
what, key, record = sys.argv[1:4]
data = sys.stdin.buffer.read().replace(b'\\r\\n', b'\\n').replace(b'\\n', b'\\r\\n')
if what == 'sign':
    header = dkim.sign(data, b's1', b'seller.example', open(key, 'rb').read(),
                       include_headers=[b'From', b'To', b'Subject', b'Message-ID'])
    sys.stdout.buffer.write(header + data)
else:
    ok = dkim.verify(data, dnsfunc=lambda *a, **k: open(record, 'rb').read())
    sys.exit(0 if ok else 1)
'''


def dkim_keys(scratch):
    key, record = scratch + '/dkim.key', scratch + '/dkim.txt'
    subprocess.run(['openssl', 'genrsa', '-traditional', '-out', key, '2048'], check=True,
                   stderr=subprocess.DEVNULL)
    public = subprocess.run(['openssl', 'rsa', '-in', key, '-pubout'], check=True, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    with open(record, 'w') as f:
        f.write('v=DKIM1; k=rsa; p=' + ''.join(public.splitlines()[1:-1]))
    return key, record


def dkim(what, keys, data):
    return subprocess.run(['/usr/bin/python3', '-c', DKIM, what, *keys], input=data,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def sign(keys, text):
    return dkim('sign', keys, text.encode()).stdout


def verified(keys, data):
    """Of a message as the sink keeps it."""
    return dkim('verify', keys, data).returncode == 0


# ---- the agent and the review page ----
class Program:
    """One of missent's daemons, with the configuration of a Missent."""

    def __init__(self, missent, name, *args):
        self.missent, self.name, self.args = missent, name, args
        self.log = missent.dir + '/' + name + '.log'
        self.process = None
        atexit.register(self.stop)

    def start(self, env=None):
        with open(self.log, 'ab') as log:
            mark = log.tell()
            self.process = subprocess.Popen([BUILD + '/' + self.name, '-c', self.missent.conf, *self.args],
                                            stdout=log, stderr=log, env=env)
        if not wait_for(lambda: 'started' in self.tail(mark) or self.process.poll() is not None, 30) \
                or self.process.poll() is not None:
            raise RuntimeError('%s did not start: %s' % (self.name, self.tail(mark)))
        return self

    def tail(self, since=0):
        with open(self.log, errors='replace') as f:
            f.seek(since)
            return f.read()

    def stop(self):
        code = None
        if self.process:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(20)
            self.process.kill()
            self.process.wait()
            self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None
