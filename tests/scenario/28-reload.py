"""Reloads under traffic, with 1,000 policies (200 under sanitizers): no connection is dropped, no message is judged by a mixture of two
configurations, memory stays, and a reload that fails says so and changes nothing."""
import threading

from milter import *
from rig import *

tap = Tap()
S = scratch_folder()
N = 200 if SLOW > 1 else 1000
RELOADS = 40 if SLOW > 1 else 200


def policies(word):
    """The same whole twice over: each message falls under all of one word, and of no other."""
    return ''.join('policy "%s-%d" {\n\tsender = {"billing@seller.example"}\n\tkinds = {"customer-number"}\n\ton-mismatch = %s\n'
                   '\ton-contradiction = deliver\n}\n' % (word, i, 'hold' if word == 'a' else 'reject') for i in range(N))


def lay(text):
    """As an editor or a configuration management does: whole, in one step."""
    path = m.dir + '/policies/test.conf'
    with open(path + '.new~', 'w') as f:
        f.write(text)
    os.rename(path + '.new~', path)


m = Missent(S, policies=policies('a'), mapping=MAPPING)
m.start()
SETS = [policies('a'), policies('b')]
stop = threading.Event()
wrong, counts, lock = [], {'hold': 0, 'reject': 0}, threading.Lock()


def rss():
    return int(re.search(r'VmRSS:\s+(\d+)', open('/proc/%d/status' % m.process.pid).read()).group(1))


def descriptors():
    return len(os.listdir('/proc/%d/fd' % m.process.pid))


def traffic():
    """One connection for all of its messages: it must live as long as the daemon."""
    client = Client(m.socket)
    while not stop.is_set():
        try:
            got = client.send(message('s', WRONG), ['kunde@alpha.example'])
        except (Gone, OSError) as why:
            wrong.append('connection: %r' % why)
            return
        with lock:
            if got in counts:
                counts[got] += 1
            else:
                wrong.append('verdict: ' + got)
    client.close()


def reload():
    out = m.tool('reload', '--pid', str(m.process.pid))
    if m.code != 0:
        wrong.append('reload: %d %s' % (m.code, out))
    return m.code


# Askers at one moment, and a signal without a number among them: of several signals the kernel keeps one.
askers = [subprocess.Popen([BUILD + '/missent', '-c', m.conf, 'reload', '--pid', str(m.process.pid)],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(4)]
while any(x.poll() is None for x in askers):
    m.signal(signal.SIGHUP)
    time.sleep(0.2)
tap.same([x.wait() for x in askers], [0] * 4, 'all who ask for a reload at once hear of it')
for x in askers:
    x.stdout.close()

threads = [threading.Thread(target=traffic) for _ in range(3)]
for t in threads:
    t.start()
samples = []  # of memory and descriptors, after each
begin = time.monotonic()
for i in range(RELOADS):
    lay(SETS[(i + 1) % 2])
    reload()
    samples.append((rss(), descriptors()))
    if time.monotonic() - begin > 30 * PATIENCE:
        break
done = i + 1
stop.set()
for t in threads:
    t.join()
quarter = max(done // 4, 1)


def mean(some, what):
    return sum(x[what] for x in some) // len(some)


# What the traffic needs at most comes with time: the second quarter of all is set against the last.
settled, after = (tuple(mean(some, what) for what in (0, 1)) for some in (samples[quarter:2 * quarter] or samples, samples[-quarter:]))
tap.ok(not wrong, '%d reloads of %d policies: no connection is dropped, and each says how it went' % (done, N), '\n'.join(wrong[:5]))
tap.ok(min(counts.values()) > 0, 'messages were judged by both sets: %r' % counts)
mixed = [line for line in m.audit() if len({reason['policy'].split('-')[0] for reason in line.get('reasons', [])}
                                           | {name.split('-')[0] for name in line.get('policies', [])}) > 1]
tap.same(mixed, [], 'none by a mixture of them')
tap.ok(after[0] < settled[0] * 1.3 + 16384 * SLOW, 'memory stays: %d kB, then %d kB' % (settled[0], after[0]))
tap.ok(after[1] <= settled[1] + 12, 'and so do descriptors: %d, then %d' % (settled[1], after[1]))

# ---- one that fails ----
lay(SETS[0].replace('on-mismatch = hold', 'on-mismatch = hodl', 1))
tap.same(reload(), 78, 'a reload that fails makes missent reload fail')
out = m.tool('status')
tap.ok(m.code == 1 and re.search(r'policies +a start or a reload would fail: \S+test.conf:\d+: ', out) and '"mistake":"/' in m.tool('status', '--json'),
       'missent status tells a mistake that is not in effect yet', out)
lay('')
tap.same(reload(), 78, 'so does a file that is being written')
client = Client(m.socket)
got = client.send(message('s', WRONG), ['kunde@alpha.example'])
tap.same(got, 'hold' if done % 2 == 0 else 'reject', 'and mail is judged as before')
client.again()
tap.same(client.send(message('s', WRONG), ['kunde@alpha.example']), got, '... also that of a second session on a connection')
client.put('A')
client.again()
tap.same(client.send(message('s', RIGHT, to='kunde@alpha.example'), ['kunde@alpha.example']), 'deliver', '... and of a third')
client.close()
with open(SOURCE + '/contrib/missent.service.in') as f:
    tap.ok(re.search(r'^ExecReload=.*missent reload|^ExecReload=.*missent .*reload', f.read(), re.M), 'systemctl reload waits for how it went')

# ---- one whose own tests fail ----
TESTED = SETS[0] + ('test "%s" {\n\tto = {"kunde@alpha.example"}\n\ttext = "hello"\n\texpect = %s\n}\n')
lay(TESTED % ('as it is', 'deliver'))
tap.same(reload(), 0, 'policies whose tests pass are taken')
tap.same('would fail' in m.tool('status') or m.code, 0, '... and of them status tells nothing')
seen = []
for n in range(1, 6):
    lay(''.join('policy "few-%d" {\n\tkinds = {"customer-number"}\n\tmode = "observe"\n}\n' % i for i in range(n)))
    reload()
    total = json.loads(m.tool('status', '--json'))['total']
    seen.append((total['missent_policies'], total['missent_policies_enforced']))
tap.same(seen, [(n, 0) for n in range(1, 6)], 'what status tells behind a reload is of what it took')
lay(TESTED % ('as it is', 'deliver'))
reload()
since = m.mark()
lay(TESTED % ('as it is not', 'reject'))
tap.same(reload(), 78, 'those whose test fails are not')
said = m.tail(since)
tap.ok('test "as it is not"' in said and '"reject" is expected' in said, '... and the log says which and why', said)
out = m.tool('policy', 'check')
tap.ok(m.code == 1 and 'test.conf:' in out and 'as it is not' in out, 'missent policy check says so too', out)
m.more += 'policy-tests = no\n'
m.write_conf()
tap.same(reload(), 0, 'unless the settings do not ask for it')
m.stop()

# ---- one that is asked for while it starts ----
lay(SETS[0])
since = m.mark()
m.process = subprocess.Popen([BUILD + '/missentd', '-c', m.conf], stderr=open(m.dir + '/log', 'ab'))
wait_for(lambda: catches(m.process.pid, signal.SIGHUP, 'SigBlk') or m.process.poll() is not None, step=0.001)
m.signal(signal.SIGHUP)
tap.ok(wait_for(lambda: 'reloaded, policies=' in m.tail(since)), 'a reload that is asked for while it starts is done when it has started',
       m.tail(since))
m.stop()
tap.done()
