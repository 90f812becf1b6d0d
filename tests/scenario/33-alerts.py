"""Each state that somebody is to know of, made by its cause: told once over each way, and again when it is over."""
import collections
import http.client
import http.server
import resource
import stat
import threading

from milter import *
from rig import *

tap = Tap()
S = scratch_folder()
os.chmod(S, 0o777)
relay, hook_port = free_port(), free_port()
redis = Redis(S)
redis.start()
HOOK = S + '/hook'
with open(HOOK, 'w') as f:
    # It hangs, with a child of its own, for one of them.
    f.write('#!/bin/sh\necho "$1 $2" >> %s/hooked\n[ "$1 $2" = "held-old on" ] && { sleep 600 & echo $! > %s/child; wait; }\nexit 0\n'
            % (S, S))
os.chmod(HOOK, 0o755)
mails, posts = [], []


def smtp():
    """Takes mails until the scenario ends, one connection at a time."""
    with socket.create_server(('127.0.0.1', relay)) as server:
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile('rwb') as f, contextlib.suppress(OSError):
                f.write(b'220 relay\r\n')
                f.flush()
                text = None
                for line in f:
                    if text is not None:
                        if line != b'.\r\n':
                            text += line
                            continue
                        mails.append(text.decode())
                        text = None
                    word = line.strip().upper()
                    text = b'' if word == b'DATA' else text
                    f.write(b'354 go on\r\n' if word == b'DATA' else b'221 bye\r\n' if word == b'QUIT' else b'250 fine\r\n')
                    f.flush()


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        posts.append(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


threading.Thread(target=smtp, daemon=True).start()
threading.Thread(target=http.server.ThreadingHTTPServer(('127.0.0.1', hook_port), Hook).serve_forever, daemon=True).start()

ALERTS = {'mail-to': '{"ops@seller.example"}', 'mail-from': '"missent@seller.example"', 'relay': '"smtp://127.0.0.1:%d"' % relay,
          'mail-most': '1000', 'hook': '"%s"' % HOOK, 'hook-timeout': '1s', 'held-age': '0s', 'stale-age': '0s', 'beat-age': '0s',
          'unread-window': '1s', 'calm-after': '2s', 'disk-free': '0'}
m = Missent(S, mapping=None, directory='backend = redis\nredis = "unix:%s"\ntimeout = 1s\n' % redis.socket, guard='breaker = 0\n')
# Its state has a disk of its own, which can be full.
disk = S + '/disk'
os.makedirs(disk)
small = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8m,mode=0777', 'tmpfs', disk], stderr=subprocess.DEVNULL).returncode == 0
if small:
    atexit.register(subprocess.run, ['umount', '-l', disk])
    m.state = disk
p = Postfix(S, 'unix:' + m.socket)
m.tool('review', 'key', m.dir + '/webhook.key')


def configure(**changes):
    ALERTS.update({k.replace('_', '-'): v for k, v in changes.items()})
    m.more = p.settings() + p.desk('notice-sender = no\nwebhook-url = "http://127.0.0.1:%d/hook"\nwebhook-key-file = "%s/webhook.key"\n'
                                   % (hook_port, m.dir)) + 'metrics {\nlisten = "unix:%s/metrics.sock"\n}\n' % S + 'alerts {\n%s}\n' % ''.join('%s = %s\n' % x for x in ALERTS.items())
    m.write_conf()


def reload(guard):
    m.guard = guard
    configure()
    mark = m.mark()
    m.signal(signal.SIGUSR1)
    tap.ok(wait_for(lambda: 'reloaded' in m.tail(mark)), 'reloaded', m.tail(mark))


configure()
m.chown()
m.load(MAPPING)
m.start()
p.start()
agent = Program(m, 'missent-agent', '-r').start()


def hooked(line):
    with contextlib.suppress(OSError):
        return open(S + '/hooked').read().split('\n').count(line)
    return 0


def logged(name, state):
    return agent.tail().count('alert=%s, state=%s' % (name, state))


def mailed(name, state):
    return len(re.findall(r'^\S+ \S+  %s +%s  ' % (name, state.upper() if state == 'on' else state), '\n'.join(mails), re.M))


def posted(name, state):
    return sum(x['event'] == 'alert' and x['alert'] == name and x['state'] == state for x in posts)


def ways(name, state):
    return [logged(name, state), hooked('%s %s' % (name, state)), posted(name, state), mailed(name, state)]


told = collections.Counter()


def expect(name, state, why):
    """Over each way, once more than before."""
    told[name, state] += 1
    n = told[name, state]
    tap.ok(wait_for(lambda: ways(name, state) == [n] * 4, 30), '%s is %s: %s' % (name, state, why),
           'log, hook, webhook, mail: %r, want %d each\n%s' % (ways(name, state), n, agent.tail()[-1500:]))


# ---- the directory and the guard are away ----
tap.ok(wait_for(lambda: '"type":"beat"' in m.trail()), 'all of it runs')
redis.process.send_signal(signal.SIGSTOP)
expect('directory', 'on', 'Redis hangs')
expect('guard', 'on', 'so it does not count')
redis.process.send_signal(signal.SIGCONT)
expect('directory', 'off', 'it answers again')
expect('guard', 'off', 'it counts again')

# ---- the mapping grows old ----
configure(stale_age='8s')
expect('stale', 'on', 'nobody imports')
m.load(MAPPING)
expect('stale', 'off', 'somebody did')
configure(stale_age='0s')

# ---- held mail waits, and the program that is called hangs ----
name = p.queue_id(p.send(message('wrong', WRONG)))
tap.ok(wait_for(lambda: name in p.held()), 'a mail is held', m.tail()[-500:])
configure(held_age='1s')
expect('held-old', 'on', 'nobody looks after it')
tap.ok(wait_for(lambda: 'alerts { hook }: for held-old it was ended' in agent.tail(), 20), 'a hook that hangs is ended', agent.tail()[-500:])
child = int(open(S + '/child').read())
tap.ok(wait_for(lambda: not os.path.exists('/proc/%d' % child) or ' Z ' in open('/proc/%d/stat' % child).read()),
       '... with what it started')
m.tool('held', 'delete', name, '--why', 'wrong')
expect('held-old', 'off', 'it is deleted')
configure(held_age='0s')

# ---- a decision is begun, and the MTA cannot do what is left of it ----
FAILS, BROKEN = S + '/fails', S + '/broken'
with open(FAILS, 'w') as f:
    f.write('#!/bin/sh\nfor x; do [ "$x" = delete ] && [ -e %s ] && exit 75; done\nexec %s/missent-release "$@"\n' % (BROKEN, BUILD))
os.chmod(FAILS, 0o755)
open(BROKEN, 'w').close()
name = p.queue_id(p.send(message('told', WRONG)))
tap.ok(wait_for(lambda: name in p.held()), 'another is held', m.tail()[-500:])
ALERTS['unfinished-age'] = '2s'
configure()
m.more = re.sub(r'release-program = ".*"', 'release-program = "%s"' % FAILS, m.more)
m.write_conf()
m.tool('held', 'return', name, '--why', 'wrong')
expect('unfinished', 'on', 'the sender was told, and it is on hold still')
tap.ok(name in m.tool('held', 'list') and name in p.held(), '... and it is among what is held')
os.unlink(BROKEN)
expect('unfinished', 'off', 'it is tried again until it is done')
tap.ok(name not in p.held(), '... and on hold no more')
ALERTS['unfinished-age'] = '0s'
configure()

# ---- a stream goes wrong ----
reload('fan-out = 3\nbreaker = 3\nbreaker-recent = 5\n')
for i in range(8):
    verdict(m.socket, message('bill', RIGHT), ['x%d@elsewhere.example' % i])
expect('breaker', 'on', 'one identifier went to many')
time.sleep(1.5)
tap.same(ways('breaker', 'on'), [1] * 4, 'as long as it lasts it is told once')
m.tool('guard', 'reset', '--all', '--why', 'mended')
expect('breaker', 'off', 'somebody lets it run')
reload('fan-out = 100\nrepeat = 1000\nbreaker = 0\n')

# ---- much cannot be read ----
ODD = MIXED + '\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.zip\r\n\r\nPK\x03\x04%s\r\n--b--\r\n'
client = Client(m.socket)
for i in range(30):
    client.send('From: <billing@seller.example>\r\nTo: <kunde@alpha.example>\r\nSubject: s\r\n' + ODD % i, ['kunde@alpha.example'])
expect('unread', 'on', 'archives that are none')
for i in range(30):
    client.send(message('right', RIGHT), ['kunde@alpha.example'])
for i in range(60):
    client.send(message('right', RIGHT), ['kunde@alpha.example'])
    if ways('unread', 'off') == [1] * 4:
        break
    time.sleep(0.2)
expect('unread', 'off', 'mail that can be read')

# ---- mail went by ----
LOG = S + '/mail.log'


def line(seconds, program, text):
    at = time.strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', time.gmtime(time.time() - seconds))
    return '%s mx.seller.example postfix/%s: %s\n' % (at, program, text)


with open(LOG, 'w') as f:
    f.write(line(9, 'smtpd[7]', '4ZZZZZZZZZ: client=app[127.0.0.1]') + line(9, 'cleanup[8]', '4ZZZZZZZZZ: message-id=<1@x>')
            + line(9, 'qmgr[9]', '4ZZZZZZZZZ: from=<billing@seller.example>, size=400, nrcpt=1 (queue active)')
            + line(8, 'smtp[6]', '4ZZZZZZZZZ: to=<kunde@alpha.example>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, '
                   'status=sent (250 ok)') + line(8, 'qmgr[9]', '4ZZZZZZZZZ: removed'))
out = m.tool('audit', 'reconcile', '--record', LOG)
m.chown()
tap.same(m.code, 1, 'reconcile finds one')
expect('bypass', 'on', 'a mail went by')
m.tool('audit', 'reconcile', '--record', LOG)
time.sleep(2)
tap.same(ways('bypass', 'on'), [1] * 4, 'found again it is not told again')
open(LOG, 'w').write(line(8, 'qmgr[9]', 'statistics: max'))
m.tool('audit', 'reconcile', '--since', 'last', '--record', LOG)
time.sleep(2)
tap.same(ways('bypass', 'off'), [0] * 4, 'a clean hour does not end what was found before')
tap.ok('empty word' in m.tool('audit', 'reconcile', '--acknowledge', '') and m.code == 64, '... nor a word that is none')
m.tool('audit', 'reconcile', '--acknowledge', 'the listener was mended')
tap.same(m.code, 0, '... somebody has seen it')
tap.ok(any(x.get('event') == 'reconcile' and 'the listener was mended' in x.get('detail', '') for x in m.audit(events=True)),
       '... which is in the trail')
expect('bypass', 'off', '... and that ends it')

# ---- a mapping is refused ----
def customers(slip):
    return MAPPING + [row for i in range(20) for row in (('K-%d' % i, 'customer-number', 'K-%d' % (70000 + i)),
                                                         ('K-%d' % i, 'recipient', 'k%d@k%d.example' % ((i + slip) % 20, (i + slip) % 20)))]


m.load(customers(0))
tap.ok('refused' not in m.tool('status'), 'no mapping was refused')
rows = 'account,kind,value\n' + ''.join('%s,%s,"%s"\n' % r for r in customers(1))
out = m.tool('directory', 'import', '-', stdin=rows)
m.chown()
tap.ok(m.code == 65 and 'recipient: 20 of 23 would move' in out, 'one is', out)
expect('refused', 'on', 'a column slipped')
tap.ok('mapping      the last import was refused: standard input: recipient: 20 of 23' in m.tool('status') and m.code == 1,
       '... status tells it', m.tool('status'))
m.tool('directory', 'import', '-', stdin=rows)
time.sleep(2)
tap.same(ways('refused', 'on'), [1] * 4, '... again it is not told again')
out = m.tool('directory', 'import', '--accept-moved', '--why', 'told by\nbilling', '-', stdin=rows)
m.chown()
tap.same(m.code, 0, '... accepted')
expect('refused', 'off', 'it is in use')
tap.ok(m.code == 0 and 'moved to accounts of others: 20 (recipient 20)' in m.trail() and 'accepted: told by' in m.trail(),
       '... the trail says what, and why', m.trail()[-900:])
m.load(MAPPING)

# ---- the trail stands still ----
configure(beat_age='2s')
expect('trail', 'on', 'no heartbeat')
configure(beat_age='3m')
expect('trail', 'off', 'there is one')

# ---- the trail is damaged ----
def damage():
    """One letter of its oldest line is another, and the same again with the next call."""
    with open(sorted(glob.glob(m.state + '/audit/tile/entries/000') or glob.glob(m.state + '/audit/head.0'))[0], 'r+b') as f:
        f.seek(20)
        letter = f.read(1)
        f.seek(20)
        f.write(bytes([letter[0] ^ 1]))


out = m.tool('audit', 'verify')
tap.same(m.code, 0, 'the trail is whole: ' + out.strip())
damage()
out = m.tool('audit', 'verify')
tap.ok(m.code == 1 and ': the' in out, 'verify finds damage', out)
expect('audit-fault', 'on', 'the trail is damaged')


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(S + '/metrics.sock')


def asked(path='/metrics', method='GET'):
    """Of Prometheus, or a proxy before it, over the Unix socket."""
    connection = Unix('localhost')
    connection.request(method, path)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, reply.getheader('Content-Type'), text


def state(name):
    return re.findall(r'^missent_alert\{name="%s"\} (\d)$' % name, asked()[2], re.M)


status, kind, text = asked()
tap.ok(status == 200 and kind.startswith('text/plain; version=0.0.4') and 'missent_build_info' in text, 'metrics over a Unix socket',
       (status, kind, text[:500]))
tap.same([state('audit-fault'), state('silent')], [['1'], ['0']], '... which have the states')
tap.same([asked('/')[0], asked(method='POST')[0], asked(method='HEAD')[2]], [404, 405, ''], '... and nothing else')
mode = os.stat(S + '/metrics.sock').st_mode
tap.ok(stat.S_ISSOCK(mode) and mode & 0o007 == 0, '... and not for everybody', oct(mode))
damage()
out = m.tool('audit', 'verify')
tap.ok(m.code == 0, 'it is as it was', out)
expect('audit-fault', 'off', 'the trail is whole again')

# ---- a full disk ----
if not small:
    tap.skip('a full disk', 'no tmpfs can be mounted here')
else:
    configure(disk_free='1M')
    time.sleep(1.5)
    tap.same(logged('disk', 'on'), 0, 'there is room')

    def no_room():
        """What others give back is taken too: true when a verdict cannot be written down."""
        with contextlib.suppress(OSError), open(disk + '/filler', 'ab', buffering=0) as f:
            while True:
                f.write(b'x' * 4096)
        return client.send(message('no room', WRONG), ['kunde@alpha.example']) == 'tempfail'

    tap.ok(wait_for(no_room, 30), 'what cannot be written down is deferred', m.tail()[-800:])
    told['disk', 'on'] += 1
    tap.ok(wait_for(lambda: (logged('disk', 'on'), hooked('disk on'), mailed('disk', 'on')) == (1, 1, 1)),
           'disk is on: it is full', ways('disk', 'on'))
    tap.ok(wait_for(lambda: (logged('write', 'on'), hooked('write on'), mailed('write', 'on')) == (1, 1, 1)),
           'write is on: verdicts cannot be written down', ways('write', 'on'))
    os.unlink(disk + '/filler')
    expect('disk', 'off', 'there is room')
    expect('write', 'off', 'they are written down')

# ---- a disk that takes nothing ----
if not small:
    tap.skip('a disk that takes nothing', 'no tmpfs can be mounted here')
else:
    # As after an error of the disk; what is open stays open.
    for how in (['--bind', disk, disk], ['-o', 'remount,bind,ro', disk]):
        subprocess.run(['mount', *how], check=True)
    expect('disk', 'on', 'it takes nothing')
    tap.ok('alert=disk, state=on: the disk of state-dir is nearly full, or takes nothing: Read-only file system;' in agent.tail(),
           '... and why is said')
    for program, *more in (['missentd', '-s', 'unix:%s/second' % S], ['missentd', '-t'], ['missent-agent', '-r']):
        done = subprocess.run([BUILD + '/' + program, '-c', m.conf, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        tap.ok(done.returncode == 75 and 'Read-only file system' in done.stdout,
               '%s may be started again: its settings are as they should be' % program, done)
    out = m.tool('held', 'list', '-a', '--limit', '1')
    tap.ok(m.code == 0 and '1 message' in out, '... records can be listed', (m.code, out))
    name = out.splitlines()[1].split()[0]
    for args, word in (('show',), 'audit'), (('note', '-w', 'looked at'), 'decide.lock: Read-only file system'):
        out = m.tool('held', *args, name)
        tap.ok(m.code == 75 and word in out, '... and nothing that is to be written down is done: held ' + args[0], (m.code, out))
    subprocess.run(['umount', disk], check=True)
    expect('disk', 'off', 'it takes what it is given')

# ---- the daemon is silent ----
client.close()
m.kill()
expect('silent', 'on', 'missentd was killed')
agent.stop()
agent.start()
time.sleep(7)
tap.same(ways('silent', 'on'), [1] * 4, 'a restart of the agent tells nothing again')
m.start()
expect('silent', 'off', 'it is back')

# ---- by the system log ----
# A /dev of its own, in which log is a socket of ours.
DEV = '''d=%s/dev; mkdir -p $d && mount -t tmpfs tmpfs $d && ln -s %s/syslog $d/log && mkdir $d/shm || exit 77
for n in null zero full random urandom; do touch $d/$n && mount --bind /dev/$n $d/$n || exit 77; done
mount --rbind $d /dev && exec "$@"''' % (S, S)
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(S + '/syslog')
os.chmod(S + '/syslog', 0o666)
log.settimeout(0.2)
lines = []


def heard(*words):
    with contextlib.suppress(socket.timeout):
        while True:
            lines.append(log.recv(65536).decode())
    return [x for x in lines if all(w in x for w in words)]


if subprocess.run(['unshare', '--mount', 'sh', '-c', DEV, 'sh', 'true'], stderr=subprocess.DEVNULL).returncode:
    tap.skip('the system log', 'no mount namespace can be had here')
else:
    agent.stop()
    conf = open(m.conf).read()
    with open(m.conf, 'w') as f:
        f.write(conf.replace('log = stderr', 'log = syslog'))
    quiet = agent.tail()
    speaks = subprocess.Popen(['unshare', '--mount', 'sh', '-c', DEV, 'sh', BUILD + '/missent-agent', '-c', m.conf, '-r'])
    tap.ok(wait_for(lambda: heard('missent-agent[', 'started')), 'the agent logs to the system log', lines)
    m.tool('pause', '--for', '10m', '--why', 'to be heard')
    m.chown()
    tap.ok(wait_for(lambda: heard('alert=paused, state=on')), 'a state is told there', lines[-5:])
    m.tool('resume')
    m.chown()
    tap.ok(wait_for(lambda: heard('alert=paused, state=off')), '... and when it is over', lines[-5:])
    tap.same([[re.match(r'<(\d+)>', x).group(1) for x in heard('alert=paused, state=' + w)] for w in ('on', 'off')], [['18'], ['21']],
             '... as facility mail, critical and notice, once')
    tap.ok(all(' missent-agent[' in x for x in lines), '... under the name of the program', lines[:3])
    tap.same(agent.tail(), quiet, '... and not elsewhere')
    speaks.terminate()
    tap.same(speaks.wait(20), 0, '... until it is stopped')
    told['paused', 'on'] += 1
    told['paused', 'off'] += 1
    with open(m.conf, 'w') as f:
        f.write(conf)
    agent.start()
many = [(k, ways(*k)) for k, n in told.items() if any(x > n for x in ways(*k))]
tap.same(many, [], 'nothing was told twice')
begun = [x for m in mails for x in re.findall(r'^\d{4}-\S+ \S+  \S+ +ON   .*\n.*', m, re.M)]
tap.ok(begun and all('\n    What to do: ' in x.replace('\r', '') for x in begun) and '; what to do: ' in agent.tail(),
       'each state that begins is told with what to do, in mail and log', [x for x in begun if 'What to do' not in x][:3] or mails[:1])
tap.ok(not [m for m in mails if 'several states' in m], '... and the subject of several names them')
text = '\n'.join(mails) + json.dumps(posts) + open(S + '/hooked').read()
tap.ok(not tells(text) and 'Auto-Submitted: auto-generated' in mails[0], 'nothing of the mapping or of the mails is in what is told')

# ---- descriptors ----
before, silent = hooked('silent on'), logged('silent', 'on')
usual = resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE)
resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, (3, usual[1]))
tap.ok(wait_for(lambda: logged('silent', 'on') > silent), 'without a descriptor the agent sees no numbers', agent.tail()[-800:])
time.sleep(1)
tap.same((hooked('silent on'), agent.tail().count('alerts { hook }: Too many open files')), (before, 1), '... nor can it start a program, which is told once')
resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, usual)
tap.ok(wait_for(lambda: hooked('silent on') > before), '... which is started when it can', agent.tail()[-800:])
tap.same(agent.stop(), 0, 'the agent stops cleanly')
p.stop()
m.stop()
tap.done()
