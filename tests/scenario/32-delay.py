"""Mail that waits for its customer's record, on Postfix and on Sendmail, with the directory in Redis: it goes when the
record comes, is held when it does not, and never goes for want of an answer."""
from sendmail import *

tap = Tap()
if os.geteuid() != 0:
    tap.skip('mail that waits', 'Postfix starts only as root')
    tap.done()
S = scratch_folder()
r = Redis(S)
tap.ok(r.start(), 'Redis starts')


def policy(word, delay):
    return '''
policy "%s" {
	sender = {"%s@seller.example"}
	kinds = {"customer-number"}
	on-unknown-recipient = "%s"
	on-unknown-identifier = "%s"
}
''' % (word, word, delay, delay)


m = Missent(S, mapping=None, policies=policy('long', 'delay 1h') + policy('short', 'delay 2s')
            + policy('late', 'delay 2s then deliver') + policy('away', 'delay %ds then deliver' % (5 * PATIENCE * SLOW)),
            directory='backend = redis\nredis = "unix:%s"\nredis-prefix = "t"\n' % r.socket)
m.load(MAPPING)
m.start()
TO = ('office@new.example',)


def held(*args):
    return m.tool('held', *args)


def record(name):
    return json.loads(held('show', '--json', name))


def waits(name):
    return 'due' in record(name)


def state(name):
    return record(name)['state']


def mail(p, subject, sender, number):
    reply = p.send(message(p.kind + ' ' + subject, 'Your customer number: C-%d' % number, to=TO[0],
                           sender=sender + '@seller.example'), to=TO, sender=sender + '@seller.example')
    name = p.queue_id(reply)
    wait_for(lambda: name in p.held())
    return name


def over(name):
    uid = record(name)['uid']
    return [e['detail'] for e in m.audit(events=True) if e['event'] == 'wait-over' and e['about'] == uid]


def told(p, name):
    uid = record(name)['uid']
    return sum('held for review' in x and uid in x for x in p.delivered())


def waiting(p, agent, n):
    """One whose record comes while nobody is there, one that comes to nothing, one that goes by the time alone."""
    first, short, late = mail(p, 'first', 'long', n), mail(p, 'short', 'short', n), mail(p, 'late', 'late', n)
    tap.ok(waits(first) and first in held('list', '--waiting') and ' waits ' in held('list', '--waiting'),
           '%s: it waits' % p.kind, held('list'))
    line = [x for x in m.audit() if x['queue_id'] == first][-1]
    tap.ok(line['verdict'] == 'delay' and line['delay'] == {'seconds': 3600, 'then': 'hold'}, '... so the trail says', line)
    tap.ok('delayed  0' not in held('stats'), '... and stats', held('stats'))
    tap.same((json.loads(m.tool('status', '--json'))['waiting']['messages'] > 0, 'waiting ' in m.tool('status')), (True, True),
             '... and status')
    tap.ok(wait_for(lambda: not waits(short)), 'what nothing comes for is held', record(short))
    tap.same((state(short), short in p.held(), len(over(short))), ('held', True, 1), '... and stays in the queue')
    tap.ok('unknown' in over(short)[0] and short not in held('list', '--waiting'), '... and the trail says why', over(short))
    tap.ok(p.arrived(p.kind + ' late') == 1, 'one that is to be delivered then is', record(late))
    tap.ok(wait_for(lambda: told(p, short)), 'the sender of what is held is told')
    tap.same((told(p, first), told(p, late)), (0, 0), '... nobody of what waits, or went')
    agent.process.kill()
    agent.process.wait()
    m.kill()
    m.load(MAPPING + [('AC-9', 'recipient', TO[0]), ('AC-9', 'customer-number', 'C-%d' % n)])
    m.start()
    agent.start()
    tap.ok(p.arrived(p.kind + ' first') == 1, 'the record comes while all is killed: it goes when they are back', record(first))
    tap.same((wait_for(lambda: state(first) == 'released'), len(over(first))), (True, 1), '... once')
    tap.ok('nothing is against it' in over(first)[0], '... and the trail says why', over(first))
    m.load(MAPPING)


def decided(p):
    name = mail(p, 'by hand', 'long', 60001)
    out = held('release', name)
    tap.ok(m.code == 0 and p.arrived(p.kind + ' by hand') == 1, 'a reviewer need not wait', out)
    name = mail(p, 'refused', 'long', 60002)
    held('delete', name, '--yes')
    m.load(MAPPING + [('AC-9', 'recipient', TO[0]), ('AC-9', 'customer-number', 'C-60002')])
    tap.ok(state(name) == 'deleted' and name not in p.held(), '... and what he decided stays')
    m.load(MAPPING)


def away(p):
    """Redis is gone at the time: late says "then deliver", and nobody could look."""
    name = mail(p, 'away', 'away', 60003)
    r.stop()
    tap.ok(waits(name), 'it waits')
    tap.ok(wait_for(lambda: not waits(name), 40), 'Redis stays away: it is held in the end', record(name))
    tap.same((state(name), name in p.held(), sum(p.kind + ' away' in x for x in p.delivered())), ('held', True, 0),
             '... and not delivered')
    tap.ok('could not be judged' in over(name)[0], '... for it could not be judged', over(name))


for p in both(S, 'unix:' + m.socket, tap):
    m.more = p.settings() + p.desk('notice-sender = yes\nnotice-window = 0s\nnotice-from = "missent@seller.example"\n'
                                   'delay-patience = 2s\n')
    m.write_conf()
    m.stop()
    m.start()
    agent = Program(m, 'missent-agent', '-r')
    agent.start()
    waiting(p, agent, 50001 if p.kind == 'Postfix' else 50002)
    decided(p)
    if p.kind == 'Postfix':
        away(p)
        r.start()
        m.load(MAPPING)
    agent.stop()
tap.ok(not tells(m.tail() + m.trail()), 'log and trail have no identifier in clear')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
