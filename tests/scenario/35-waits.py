#!/usr/bin/env python3
"""How long anybody waits: the MTA for missent, which works for longer than it would, missent for what it stands on, and
what is written down when the MTA has given up.  Redis is frozen where a step shall take its time."""
import fcntl
import sqlite3
import threading

from milter import Client
from sendmail import both
from rig import *

tap = Tap()
S = scratch_folder()
redis = Redis(S)
redis.start()
TEXTS = {'hold': 'customer number: C-10002\n', 'deliver': 'customer number: C-10001\n'}


def missent(name, deadline, timeout):
    m = Missent(S + '/' + name, more='message-deadline = %s\n' % deadline, mapping=MAPPING,
                directory='backend = redis\ntimeout = %s\nredis = "unix:%s"\nredis-prefix = "%s:"\n'
                          % (timeout, redis.socket, name))
    m.start()
    return m


class Frozen:
    """Redis, for so many seconds or until the end of the block."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        redis.process.send_signal(signal.SIGSTOP)
        self.timer = threading.Timer(self.seconds, redis.process.send_signal, [signal.SIGCONT])
        self.timer.start()

    def __exit__(self, *why):
        self.timer.join()


def records(m):
    """How many."""
    with contextlib.closing(sqlite3.connect('file:%s/held.db?mode=ro' % m.state, uri=True)) as db:
        return db.execute('SELECT count(*) FROM held').fetchone()[0]


def undone(m):
    return [x for x in m.audit(events=True) if x['event'] == 'undone']


def numbers(m, cause):
    status = json.loads(m.tool('status', '--json'))
    return status['total']['missent_messages_deferred_total'][cause]


# ---- an MTA whose own limit is shorter than a verdict takes waits on, for it is told that missent works ----

m = missent('patient', '60s', '30s')
for mta in both(S, 'unix:' + m.socket, tap, settings='milter_content_timeout = 5s\n', times='C:30s;S:30s;R:6s;E:40s'):
    for want, text in TEXTS.items():
        word = '%s-%s' % (mta.kind, want)
        before = time.monotonic()
        with Frozen(9):
            code, reply = mta.send(message(word, text))
        took = time.monotonic() - before
        tap.ok(code == 250 and took >= 8, '%s waits for a verdict that takes 9 s, where it waits 5 or 6 s for a word: %s'
               % (mta.kind, want), '%s %s after %.1f s' % (code, reply, took))
        if want == 'hold':
            tap.ok(code == 250 and mta.queue_id((code, reply)) in mta.held(), '%s: it is on hold' % mta.kind)
        else:
            tap.ok(mta.arrived(word), '%s: it is delivered' % mta.kind)
    tap.same(records(m), 1 if mta.kind == 'Postfix' else 2, '%s: what is held has its record' % mta.kind)
tap.same(undone(m), [], 'nothing of it was undone')

# ---- the MTA goes away while the verdict is made, at its end, and before it has the answer ----


def leave(m, how, text, queue_id):
    """A message whose MTA closes the connection `how`: 'judging', 'answering'."""
    client = Client(m.socket)
    lock = None
    if how == 'answering':  # its line waits for the trail; the MTA is gone when it is written
        lock = open(m.state + '/audit/lock')
        fcntl.flock(lock, fcntl.LOCK_EX)
    client.begin_message(text, ['kunde@alpha.example'], queue_id)
    client.put('E')
    time.sleep(0.5)
    client.socket.close()
    if lock:
        time.sleep(0.5)
        fcntl.flock(lock, fcntl.LOCK_UN)
        lock.close()


n = records(m)
with Frozen(9):
    leave(m, 'judging', message('leaves', TEXTS['hold']), '4LEFT1')
tap.ok(wait_for(lambda: 'closed the connection' in m.tail()), 'an MTA that goes while its message is judged is noticed',
       m.tail()[-2000:])
tap.same(records(m), n, 'of its message no record is kept')
tap.ok(wait_for(lambda: numbers(m, 'late') == 1, 5), 'it is counted as late')
tap.ok(not [x for x in m.audit() if x['queue_id'] == '4LEFT1'], 'its verdict is not in the trail')
leave(m, 'answering', message('leaves', TEXTS['hold']), '4LEFT2')
tap.ok(wait_for(lambda: [x for x in undone(m) if x['about'] == '4LEFT2']),
       'an MTA that does not take the answer: the trail says that what it tells of was not done', m.tail()[-2000:])
tap.same(records(m), n, 'and no record is kept')
m.stop()

# ---- a deadline for all steps ----

m = missent('hasty', '3s', '5s')
client = Client(m.socket)
with Frozen(12):
    before = time.monotonic()
    word = client.send(message('slow', TEXTS['hold']), ['kunde@alpha.example'])
    took = time.monotonic() - before
tap.same(word, 'tempfail', 'a message that takes longer than message-deadline is refused for now')
tap.ok(took < 8 * SLOW * PATIENCE, 'one step after its deadline at most', '%.1f s' % took)
tap.ok('message-deadline' in m.tail(), 'the log says why', m.tail()[-1000:])
tap.ok(wait_for(lambda: numbers(m, 'late') == 1, 5), 'it is counted')
tap.same(records(m), 0, 'there is no record of it')

# The disk is slow: the trail is written when the deadline is over.
lock = open(m.state + '/audit/lock')
fcntl.flock(lock, fcntl.LOCK_EX)
timer = threading.Timer(4, fcntl.flock, [lock, fcntl.LOCK_UN])
timer.start()
word = client.send(message('slow', TEXTS['hold']), ['kunde@alpha.example'], queue_id='4SLOW')
timer.join()
tap.same(word, 'tempfail', 'so is one whose line is on disk after it')
tap.ok([x for x in undone(m) if x['about'] == '4SLOW'], 'and the trail says that the line tells of what was not done')
tap.same(records(m), 0, 'there is no record of that one either')
explained = m.tool('explain', '--json', '4SLOW')
tap.ok('"verdict":"tempfail"' in explained and '"undone":"hold; ' in explained, 'who asks for it is told so', explained)
tap.same(client.send(message('fast', TEXTS['hold']), ['kunde@alpha.example']), 'hold', 'the next message is judged')
tap.same(records(m), 1, 'and has its record')
client.close()

# ---- what the host lacks for now is no mistake in the settings: 78 is not begun again ----

short = Missent(S + '/short', mapping=MAPPING)
subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
                S + '/key.pem', '-out', S + '/cert.pem', '-subj', '/CN=localhost', '-days', '2'], check=True,
               stderr=subprocess.DEVNULL)
short.write_conf('desk {\nsocket = "%s/short.sock"\n}\nreview {\nlisten = "127.0.0.1:%d"\nuser = "%s"\n'
                 'tls-certificate = "%s/cert.pem"\ntls-key = "%s/key.pem"\n}\n' % (S, free_port(), USER, S, S))

for name in ('missentd', 'missent-agent', 'missent-review'):
    wrong = []
    for n in range(4, 24):
        try:
            code = subprocess.run(['prlimit', '--nofile=%d' % n, BUILD + '/' + name, '-c', short.conf], timeout=2 * PATIENCE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        except subprocess.TimeoutExpired:
            break  # it runs
        if code == 78:
            wrong.append(n)
    tap.same(wrong, [], '%s: with too few descriptors it never ends as if its settings were wrong' % name)

# ---- status says what is, at once ----

tap.ok('at work' in m.tool('status').split('\n')[0], 'missent status: it is at work', m.tool('status'))
m.kill()
tap.ok('at work' not in m.tool('status').split('\n')[0], 'and not any more, when it was killed a moment ago', m.tool('status'))
tap.done()
