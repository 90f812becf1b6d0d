"""Kill, stop, freeze, empty, fill: no mail is lost and none is delivered unjudged."""
import fcntl
import os
import re
import resource
import signal
import smtplib
import threading

from rig import *

tap = Tap()
S = scratch_folder()
r = Redis(S)
tap.ok(r.start(), 'Redis starts')
READER = BUILD + '/tests/tools/misbehaving-reader'
SPLIT = '''
policy "split" {
	sender = {"split@seller.example"}
	kinds = {"customer-number"}
	on-mismatch = split
}
'''
m = Missent(S, policies=POLICY + SPLIT, directory='backend = redis\nredis = "unix:%s"\ntimeout = 500ms\n' % r.socket,
            mapping=MAPPING)
m.reader = 'deadline = 8s\n'


def configure(more=''):
    """The reader that obeys the message, so that a verdict can be made to take long."""
    m.write_conf(more)
    with open(m.conf) as conf:
        changed = conf.read().replace(BUILD + '/missent-reader"', READER + '"')
    with open(m.conf, 'w') as conf:
        conf.write(changed)


configure()
m.start()
p = Postfix(S, 'unix:' + m.socket)
p.start()


def retry(subject, body, to, want):
    """Sends until it is taken, as a mail server would; says what became of it."""
    for _ in range(40):
        try:
            reply = p.send(message(subject, body), to=[to])
        except (smtplib.SMTPException, OSError):
            reply = (0, '')
        if reply[0] == 250:
            break
        time.sleep(0.25)
    if want == 'delivered':
        return p.arrived(subject) >= 1
    return queue_id(reply) in p.held() and p.arrived(subject, seconds=0.5) == 0


def memory_ends():
    """What missentd has is all that it gets: GLib ends a program to which no memory is given."""
    with open('/proc/%d/status' % m.process.pid) as f:
        size = int(re.search(r'VmSize:\s+(\d+)', f.read())[1]) << 10
    resource.prlimit(m.process.pid, resource.RLIMIT_AS, (size, size))


def end(how):
    if how:
        m.process.send_signal(how)
        m.process.wait()
    m.kill()


# ---- killed at each stage; aborted; without memory ----
for stage in ('connect', 'mail', 'rcpt', 'verdict', 'abort', 'memory', 'record'):
    before = len(m.audit())
    if stage == 'record':  # the audit trail is locked: the record is written, then it waits
        lock = open(m.state + '/audit/lock')
        fcntl.flock(lock, fcntl.LOCK_EX)
    reply = None
    smtp = smtplib.SMTP('127.0.0.1', p.port, timeout=60)
    body = WRONG + ('MISBEHAVE wait\n' if stage in ('verdict', 'abort') else '')
    try:
        smtp.ehlo()
        if stage == 'connect':
            m.kill()
        smtp.mail('billing@seller.example')
        if stage == 'mail':
            m.kill()
        smtp.rcpt('kunde@alpha.example')
        if stage == 'rcpt':
            m.kill()
        if stage in ('verdict', 'abort', 'record'):
            threading.Timer(1.0, end, [signal.SIGABRT if stage == 'abort' else None]).start()
        if stage == 'memory':
            memory_ends()
            body += 1000 * ('x' * 70 + '\n')
        reply = smtp.data(message('killed at ' + stage, body).encode())
    except (smtplib.SMTPException, OSError) as why:
        reply = (0, str(why))
    smtp.close()
    if stage == 'memory':
        end(None)
    wait_for(lambda: m.process is None)
    tap.ok(reply[0] != 250, 'killed at %s: the message is not taken' % stage, reply)
    tap.same(p.arrived('killed at ' + stage, seconds=1), 0, '... and not delivered unjudged')
    if stage == 'record':
        lock.close()
    m.start()
    tap.ok(retry('killed at ' + stage, WRONG, 'kunde@alpha.example', 'held'),
           '... sent again it is held')
out = m.tool('held', 'list', '--all')
tap.ok('mismatch' in out, 'the records are whole after the kills', out)

# ---- the reader dies ----
for pid in m.children():
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
tap.ok(retry('after reader death', RIGHT, 'kunde@alpha.example', 'delivered'),
       'a reader that was killed is started anew')

# ---- the audit trail ----
m.stop()
configure('audit-file = "%s/nowhere/audit.jsonl"\n' % S)
mark = m.mark()
tap.ok(m.start(), 'missentd starts without a place for its trail')
reply = p.send(message('no trail', RIGHT))
tap.ok(reply[0] == 451, '... and defers mail', reply)
tap.ok('nowhere/audit cannot be opened: No such file' in m.tail(mark), '... and says why', m.tail(mark))
m.stop()
configure()
m.start()
tap.ok(retry('trail again', RIGHT, 'kunde@alpha.example', 'delivered'), '... until it has one')

# ---- Redis ----
r.stop()
reply = p.send(message('redis stopped', RIGHT))
tap.ok(reply[0] == 451, 'Redis stopped: tempfail, not "unknown"', reply)
tap.ok('directory-unavailable' in m.tail(), '... and the log says why', m.tail())
r.start()
reply = p.send(message('redis back and empty', RIGHT))
tap.ok(reply[0] == 451 and 'until now is gone' in m.tail(),
       'Redis back, but empty: tempfail', reply)
m.load(MAPPING)
tap.ok(retry('redis loaded', RIGHT, 'kunde@alpha.example', 'delivered'), 'loaded again: delivered')
r.process.send_signal(signal.SIGSTOP)
start = time.monotonic()
reply = p.send(message('redis frozen', RIGHT))
took = time.monotonic() - start
tap.ok(reply[0] == 451, 'Redis frozen: tempfail', reply)
tap.ok(took < 5 * SLOW, '... after the timeout, not after minutes', took)
r.process.send_signal(signal.SIGCONT)
tap.ok(retry('redis thawed', RIGHT, 'kunde@alpha.example', 'delivered'), 'thawed: delivered')

done = threading.Event()
answers = []


def stream():
    n = 0
    while not done.is_set():
        n += 1
        with contextlib.suppress(OSError, smtplib.SMTPException):
            answers.append((n, p.send(message('stream %d end' % n, WRONG))))


threads = [threading.Thread(target=stream) for _ in range(2)]
for t in threads:
    t.start()


def answered(code):
    """Waits until one more message has that answer."""
    before = len(answers)
    return wait_for(lambda: any(a[1][0] == code for a in answers[before:]), 30)


answered(250)
r.cli('FLUSHALL')
answered(451)
m.load(MAPPING)
answered(250)
done.set()
for t in threads:
    t.join()
codes = {c[1][0] for c in answers}
tap.same(codes, {250, 451}, 'emptied in the middle of a run: held or tempfail')
tap.same(p.arrived('stream', seconds=1), 0, '... and nothing wrong was delivered')

# ---- reloads under load ----
done.clear()
answers.clear()
threads = [threading.Thread(target=stream) for _ in range(2)]
for t in threads:
    t.start()
for i in range(60):
    if i == 30:
        m.write_policy(POLICY.replace('require', 'requirre'))
    if i == 45:  # a reload takes its time, more so under load
        wait_for(lambda: 'reload failed' in m.tail(), 10 * SLOW)
        m.write_policy(POLICY + SPLIT)
    m.signal(signal.SIGUSR1)
    time.sleep(0.03)
time.sleep(0.5 * SLOW)
wait_for(lambda: len(answers) > 3, 30)
done.set()
for t in threads:
    t.join()
tap.ok(len(answers) > 3 and {c[1][0] for c in answers} == {250},
       'a storm of SIGUSR1 under load: every message is answered', answers[-3:])
tap.same(p.arrived('stream', seconds=1), 0, '... and nothing wrong was delivered')
log = m.tail()
tap.ok('reload failed, the running configuration is kept' in log
       and 'did you mean "require"?' in log and 'test.conf:' in log,
       'a bad policy keeps the running one and is explained', log[-800:])
for what in ('written over', 'renamed away'):  # what an editor does, seen half-way
    mark = m.mark()
    if what == 'written over':
        m.write_policy('')
    else:
        os.unlink(m.dir + '/policies/test.conf')
    m.signal(signal.SIGUSR1)
    tap.ok(wait_for(lambda: 'reload failed' in m.tail(mark)), 'policies %s: the reload fails' % what,
           m.tail(mark))
    tap.ok(retry('policies ' + what, WRONG, 'kunde@alpha.example', 'held'), '... and mail is held')
    m.write_policy(POLICY + SPLIT)
m.signal(signal.SIGUSR1)
tap.ok(wait_for(lambda: len(m.children()) <= 2 + 2 * (os.cpu_count() or 2) * 2),
       'old readers end after a reload', m.children())

# ---- stop with a message in flight ----
result = []
mark = m.mark()
sender = threading.Thread(
    target=lambda: result.append(p.send(message('in flight', WRONG + 'MISBEHAVE wait\n'))))
sender.start()
time.sleep(1.2)
m.signal(signal.SIGTERM)
sender.join()
tap.ok(result and result[0][0] == 250 and queue_id(result[0]) in p.held(),
       'SIGTERM: a message in flight gets its verdict', result)
tap.ok(wait_for(lambda: m.process.poll() is not None) and m.process.returncode == 0,
       '... and missentd ends with 0', m.tail(mark))
m.process = None

# ---- disk full ----
full = m.dir + '/full'
os.makedirs(full)
mounted = os.geteuid() == 0 and subprocess.run(
    ['mount', '-t', 'tmpfs', '-o', 'size=900k,mode=0777', 'tmpfs', full],
    stderr=subprocess.DEVNULL).returncode == 0
if mounted:
    atexit.register(subprocess.run, ['umount', '-l', full])
    state = m.state
    m.state = full
    configure()
    m.start()
    m.load(MAPPING)
    with contextlib.suppress(OSError), open(full + '/filler', 'wb') as f:
        while True:
            f.write(b'x' * 512)
            f.flush()
    reply = p.send(message('disk full', WRONG))
    tap.ok(reply[0] == 451, 'disk full: a hold that cannot be recorded is a tempfail', reply)
    tap.same(p.arrived('disk full', seconds=1), 0, '... and nothing is delivered')
    reply = p.send(message('full split', WRONG, sender='split@seller.example'),
                   to=['a@beta.example', 'kunde@alpha.example'], sender='split@seller.example')
    tap.ok(reply[0] == 451 and not os.listdir(full + '/spool'),
           '... so is a split whose copy cannot be kept', reply)
    tap.same(p.arrived('full split', seconds=1), 0, '... nobody gets it')
    os.unlink(full + '/filler')
    tap.ok(retry('disk full', WRONG, 'kunde@alpha.example', 'held'), 'with room again: held')
    m.stop()
    m.state = state
    configure()
else:
    tap.skip('disk full', 'no tmpfs can be mounted here')

# ---- misbehaving workers, through the MTA ----
m.start()
for word in ('crash', 'memory', 'socket', 'file', 'lie'):
    reply = p.send(message('worker ' + word, RIGHT + 'MISBEHAVE %s\n' % word))
    tap.ok(reply[0] == 250 and queue_id(reply) in p.held(),
           'a worker that does "%s" costs its message alone' % word, reply)
tap.ok(retry('after all that', RIGHT, 'kunde@alpha.example', 'delivered'), 'the next is read')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
