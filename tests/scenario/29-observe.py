"""A policy that observes for so many messages, on a real Postfix: it goes on observing while something is against it,
somebody is told, and it enforces when nothing is; over restarts.  The report, the lint and the counts tell the same."""
from rig import *

tap = Tap()
S = scratch_folder()
UNTIL = POLICY.replace('sender  =', 'mode = "observe-until 12 messages"\n\tsender  =', 1)
m = Missent(S, mode='observe', policies=UNTIL, mapping=MAPPING)
m.start()
p = Postfix(S, 'unix:' + m.socket)
p.start()
TITLE = re.search(r'policy "([^"]+)"', POLICY).group(1)


def events(what):
    return [e for e in m.audit(events=True) if what in json.dumps(e)]


def send(n, word, body):
    for i in range(n):
        reply = p.send(message('%s %d' % (word, i), body))
        if reply[0] != 250:
            return False
    return p.arrived(word, n) == n


def report():
    out = m.tool('policy', 'report', TITLE, '--json', '--least', '12')
    return m.code, json.loads(out)


tap.ok(send(6, 'first', RIGHT) and send(6, 'wrong', WRONG), 'twelve mails are delivered: it observes')
tap.ok(wait_for(lambda: 'it goes on observing' in m.tail(), 30),
       'half of them would have been held: it goes on observing, and says so', m.tail())
code, told = report()
tap.ok(code == 1 and told and told[0]['held'] == 6 and not told[0]['safe'], 'the report counts what would have been held, '
       'and says that it is not safe', (code, told))
tap.ok(told and told[0]['causes'] and told[0]['causes'][0]['messages'] == 6 and told[0]['causes'][0]['examples'],
       'by cause, with examples', told)
tap.ok(wait_for(lambda: os.path.exists(m.state + '/alert-observing') or glob.glob(m.state + '/*observing*')), 'an alert is left for the agent',
       os.listdir(m.state))
tap.ok(len(events('goes-on-observing')) == 1, 'and it is on the trail, once', m.audit(events=True)[-3:])
tap.same(p.held(), [], 'nothing is held')

rows = {row['name']: row for row in json.loads(m.tool('stats', '--by', 'policy', '--json'))['rows']}
tap.ok(rows[TITLE]['judged'] == 12 and rows[TITLE]['observed'] == 6, 'stats tell the same', rows)
out = m.tool('status')
tap.ok('12 judged, 12 delivered' in out and '6 of these would have been kept back' in out, 'so does the status', out)
out = m.tool('stats')
tap.ok('12' in out and '\nall ' in out, 'and as a table', out)
out = m.tool('stats', '--by', 'cause')
counts = [[int(x) for x in re.findall(r' {2,}(\d+)', line)] for line in out.splitlines()]
counts = [x for x in counts if x]
tap.same([sum(x) for x in zip(*counts[:-1])], counts[-1], '... of which the rows add up, by cause too')
tap.ok('\nwrong\n' in out and '...' not in out and 'rejected' not in out, '... with whole names, and no column that is nought in all', out)
shown = json.loads(m.tool('config', 'show', '--policies', '--json'))
tap.ok(shown['policies'][TITLE]['mode']['value'].startswith('observe-until') and shown['policies'][TITLE]['mode']['line'] > 0
       and shown['settings']['max-memory']['default'], 'config show has file and line, and defaults', shown)

# ---- restarted, it knows how far it was ----
m.stop()
m.start()
tap.ok('observe-until 12 messages' in open(m.state + '/observing').read() and 'messages=12' in open(m.state + '/observing').read(),
       'what was counted is kept', open(m.state + '/observing').read())

# ---- other terms begin anew; a fault that the lint finds keeps it observing ----
mark = m.mark()
m.write_policy(UNTIL.replace('12 messages', '8 messages').replace('tolerate =', 'on-oversized = deliver\n\ttolerate =', 1))
m.signal(signal.SIGUSR1)
tap.ok(wait_for(lambda: 'reloaded' in m.tail(mark)), 'reloaded', m.tail(mark))
out = m.tool('policy', 'lint')
tap.same((m.code, 'dead-limit' in out), (2, True), 'the lint finds a limit that has no effect')
tap.ok(send(8, 'second', RIGHT), 'eight more, all right')
tap.ok(wait_for(lambda: 'dead-limit' in m.tail(mark) or 'has no effect' in m.tail(mark), 30), 'a policy with a fault goes on observing', m.tail(mark))

# ---- mended, it enforces ----
mark = m.mark()
m.write_policy(UNTIL.replace('12 messages', '9 messages'))
m.signal(signal.SIGUSR1)
tap.ok(wait_for(lambda: 'reloaded' in m.tail(mark)), 'reloaded', m.tail(mark))
tap.ok(send(10, 'third', RIGHT), 'ten more, all right')
tap.ok(wait_for(lambda: 'is enforced from now on' in m.tail(mark) and 'reloaded' in m.tail(mark).split('from now on')[-1], 40),
       'nothing is against it any more: it enforces', m.tail(mark))
tap.ok(len(events('policy-enforced')) == 1, 'which is on the trail')
reply = p.send(message('held', WRONG))
tap.ok(wait_for(lambda: queue_id(reply) in p.held()), 'and a wrong mail is held', (reply, p.held()))
m.stop()
m.start()
reply = p.send(message('held again', WRONG))
tap.ok(wait_for(lambda: queue_id(reply) in p.held()), 'also after a restart', (reply, p.held()))
p.stop()
m.stop()
tap.done()
