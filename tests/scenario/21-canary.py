"""A mail of ours that must be held, through each listener: held and deleted in silence, or told."""
from rig import *
from sendmail import Sendmail

tap = Tap()
S = scratch_folder()
p = Postfix(S, 'unix:' + S + '/missent/missent.sock')
silent = free_port()
with open(p.etc + '/master.cf', 'a') as f:
    f.write('127.0.0.1:%d inet n - n - - smtpd\n  -o receive_override_options=no_milters\n' % silent)
CANARY = '''
canary {
	every = 2s
	timeout = 4s
	listeners = {"smtp://127.0.0.1:%d", "smtp://127.0.0.1:%d", "sendmail"}
	sender = "billing@seller.example"
	recipient = "nobody@canary.seller.example"
	identifier = "C-99999"
}
''' % (p.port, silent)
MAIN, SILENT = 'smtp://127.0.0.1:%d' % p.port, 'smtp://127.0.0.1:%d' % silent
m = Missent(S, mapping=MAPPING, guard='breaker = 1\n', more=p.settings() + p.desk('notice-sender = no') + CANARY)
m.start()
p.start()
agent = Program(m, 'missent-agent', '-r').start()


def events(word, listener=''):
    return [x for x in m.audit(events=True) if x.get('event') == word and listener in x['detail']]


def listed(*more):
    return [json.loads(x) for x in m.tool('held', 'list', '--json', *more).splitlines() if x.startswith('{')]


def lines():
    return [x for x in map(json.loads, m.trail().splitlines()) if x.get('type') == 'canary']


tap.ok(wait_for(lambda: len(events('canary deleted', MAIN)) >= 2 and events('canary deleted', 'sendmail')),
       'what must be held is held, over SMTP and of local submission, and is deleted by the agent', agent.tail() + m.tail())
tap.ok(wait_for(lambda: events('canary not held', SILENT)), 'a listener without the milter is told', agent.tail())
tap.ok(wait_for(lambda: 'NOT HELD: ' + SILENT in agent.tail()) and 'did not show it to the filter' in agent.tail(), '... in the log, and why',
       agent.tail())
tap.same(events('canary not held', MAIN) + events('canary not held', 'sendmail'), [], '... and no other')
tap.ok(wait_for(lambda: 'alert=canary, state=on: a canary was not held: ' + SILENT in agent.tail()), '... and is a state, by its name',
       agent.tail())
rounds = len(lines())
tap.ok(rounds >= 2 and all(x['verdict'] == 'hold' for x in lines()), 'the trail has them, as what they are', lines())
tap.same(listed('-a'), [], 'no record is made of one')
tap.same(json.loads(m.tool('held', 'stats', '--json')).get('held'), 0, 'none is counted')
tap.same([x for x in m.audit() if x.get('type') == 'message'], [], 'none is a message of the trail')
report = json.loads(m.tool('incident', 'report', '--from', '-1h', '--json'))['summary']
tap.same([report['judged'], report['wrong']['all'], report['other-causes']['all']], [0, 0, 0], 'none is in a report')
tap.same(m.tool('incident', 'register', '--json').strip(), '', 'none is in the register')
status = m.tool('status')
tap.ok(re.search(r'\b0 judged|judged\D*\b0\b', status), 'none is in the numbers', status)
tap.ok('canary' not in m.tool('guard', 'status') and 'billing' not in m.tool('guard', 'status'), 'none is counted by the guard')

# An import takes nothing from it, nor one that has other entries and none of these.
m.load(MAPPING)
m.load(MAPPING[:2] + [('AC-9', 'recipient', '@ninth.example')])
m.load(MAPPING)
n = len(events('canary deleted', MAIN))
tap.ok(wait_for(lambda: len(events('canary deleted', MAIN)) >= n + 2), 'its entry survives an import', agent.tail())
tap.same(events('canary not held', MAIN), [], '... without an alarm')

# Who copies one, later, gets nothing by it.
wait_for(lambda: p.delivered())
copy = p.delivered()[0]
body = copy[copy.index('From: <billing'):]
wait_for(lambda: len(events('canary deleted', MAIN)) >= n + 4)
reply = p.send(body.replace('\n', '\r\n') if '\r\n' not in body else body, to=['nobody@canary.seller.example'])
name = queue_id(reply)
tap.ok(wait_for(lambda: name in [x['queue_id'] for x in listed()]),
       'a copy of one is a mail like any other, and has a record', reply)
tap.ok(name in p.held(), '... and is held')

# It is no longer held: told once, and when it is held again.
m.write_policy(POLICY.replace('policy "invoices" {', 'policy "invoices" {\n\ton-mismatch = tag\n\ton-unproven = tag\n\ton-unknown-identifier = tag'))
m.signal(signal.SIGUSR1)
tap.ok(wait_for(lambda: events('canary not held', MAIN)), 'a policy that holds no more is told', agent.tail())
tap.ok(wait_for(lambda: 'judged, and not held: tag' in agent.tail()), '... with what became of it', agent.tail())
m.write_policy(POLICY)
m.signal(signal.SIGUSR1)
tap.ok(wait_for(lambda: events('canary held again', MAIN)), '... and when it holds again')
tap.same(len(events('canary not held', MAIN)), 1, 'once a state')
tap.same([agent.tail().count('alert=canary, state=' + x) for x in ('on', 'off')], [1, 0],
         '... which is not over while another listener does not hold')
tap.same(len(events('canary not held', SILENT)), 1, '... for each listener')
tap.same(agent.stop(), 0, 'the agent stops cleanly')
p.stop()
m.stop()

# ---- Sendmail ----
# What programs submit there goes past the filter: its queue takes it without SMTP, where milters are asked.
S = scratch_folder()
p = Sendmail(S, 'unix:' + S + '/missent/missent.sock')
why = p.unpack() if os.geteuid() == 0 else 'it needs root for a host name of its own'
if why:
    tap.skip('Sendmail', why)
    tap.done()
MAIN = 'smtp://127.0.0.1:%d' % p.port
canary = re.sub('listeners = .*', 'listeners = {"%s", "sendmail"}' % MAIN, CANARY)
p.start()
m = Missent(S, mapping=MAPPING, more=p.settings() + p.desk('notice-sender = no') + canary)
m.start()
agent = Program(m, 'missent-agent', '-r').start()
tap.ok(wait_for(lambda: len(events('canary deleted', MAIN)) >= 2, 30), 'Sendmail: what must be held is quarantined, and is deleted by the agent',
       agent.tail() + m.tail())
tap.same(events('canary not held', MAIN), [], '... without an alarm')
tap.ok(wait_for(lambda: events('canary not held', 'sendmail')), '... and what passes the filter by is told', agent.tail())
tap.ok(wait_for(lambda: 'alert=canary, state=on: a canary was not held: sendmail' in agent.tail()), '... as a state', agent.tail())
tap.same([x for x in m.audit() if x.get('type') == 'message'], [], '... and none is a message of the trail')
tap.same(listed('-a'), [], '... or has a record')
n = len(events('canary deleted', MAIN))
reply = p.send(message('wrong', WRONG))
tap.ok(wait_for(lambda: p.queue_id(reply) in p.held()), 'a customer\'s wrong mail is held beside them', reply)
tap.ok(wait_for(lambda: len(events('canary deleted', MAIN)) > n) and p.queue_id(reply) in p.held(), '... and is not deleted with them',
       agent.tail())
m.write_policy(POLICY.replace('policy "invoices" {', 'policy "invoices" {\n\ton-mismatch = tag\n\ton-unproven = tag\n\ton-unknown-identifier = tag'))
m.signal(signal.SIGUSR1)
tap.ok(wait_for(lambda: events('canary not held', MAIN) and 'judged, and not held: tag' in agent.tail()), 'a policy that holds no more is told',
       agent.tail())
m.write_policy(POLICY)
m.signal(signal.SIGUSR1)
tap.ok(wait_for(lambda: events('canary held again', MAIN)), '... and when it holds again', agent.tail())
tap.same(agent.stop(), 0, 'the agent stops cleanly')
p.stop()
m.stop()
tap.done()
