"""Four hosts and one Redis: what goes where is counted once, by all; a stream that goes wrong stops on all of them;
and a guard that cannot be asked is a reason of its own."""
import threading

from rig import *
from servers import *

tap = Tap()
S = scratch_folder()
POLICY = '''policy "bills" {
	kinds = {"customer-number", "invoice-number"}
	on-mismatch = deliver
	on-unproven = deliver
	on-directory-unavailable = deliver
	on-guard-unavailable = %s
}
'''
LIMITS = 'fan-out = 4\nfan-out-domains = 4\nbreaker-recent = %s\nbreaker = 0\n'
node = Node(S, 'rdbcompression no', kind=os.environ.get('MS_REDIS', 'redis')).start()


wire = Wire(node.address)


def host(name, action='deliver', breaker='0', address=node.address):
    m = Missent(S + '/' + name, host=name + '.seller.example', guard=LIMITS % breaker, policies=POLICY % action,
                directory='backend = redis\ntimeout = 500ms\nredis = "%s"\nkey-file = "%s/site.key"\n' % (address, S))
    return m


def bill(m, customer, to):
    return verdict(m.socket, message('bill', 'Dear customer,\nyour customer number: C-%s\ninvoice number: R-%s\n' % (customer, customer)), [to])


key = Missent(S + '/key')
shutil.copy(key.dir + '/site.key', S + '/site.key')
if os.geteuid() == 0:
    subprocess.run(['chown', USER, S + '/site.key'], check=True)
hosts = [host('mx%d' % i, address=node.address if i < 2 else wire.address) for i in range(4)]
hosts[3].write_policy(POLICY % 'tempfail')
hosts[0].load(MAPPING)
for m in hosts:
    m.start()

# ---- one window for all --------------------------------------------------------------------------
got = [bill(m, 77001, 'a%d@one.example' % i) for i, m in enumerate(hosts)]
tap.same(got, ['deliver'] * 4, 'one bill goes to four addresses, by four hosts')
tap.same(bill(hosts[0], 77001, 'e@one.example'), 'hold', '... and to no fifth')
tap.ok('reasons=fan-out' in hosts[0].tail(), '... which is a reason', hosts[0].tail()[-500:])
tap.same(bill(hosts[2], 77001, 'a1@one.example'), 'deliver', '... but again to one of the four')

verdicts = []
def many(m, n):
    for i in range(10):
        verdicts.append(bill(m, 77002, 'b%d@two%d.example' % (i, n)))
threads = [threading.Thread(target=many, args=(m, i)) for i, m in enumerate(hosts)]
for t in threads:
    t.start()
for t in threads:
    t.join()
tap.same([verdicts.count('deliver'), verdicts.count('hold')], [4, 36], 'forty at once, by four hosts: four go out')

# ---- a stream stops, everywhere -------------------------------------------------------------------
for m in hosts:
    m.guard = LIMITS % 5
    m.write_conf()
    m.signal(signal.SIGUSR1)
    tap.ok(wait_for(lambda: 'reloaded' in m.tail()), 'reloaded', m.tail()[-300:])
tap.same(bill(hosts[1], 77001, 'f@one.example'), 'hold', 'a reload keeps the windows')
tap.ok(wait_for(lambda: bill(hosts[1], 77001, 'g@one.example') == 'hold' and
                bill(hosts[0], 77003, 'h@three.example') == 'hold'), 'a stream with too much wrong mail is stopped')
tap.same([bill(m, 77003, 'h@three.example') for m in hosts], ['hold'] * 4, '... on all hosts')
tap.ok('breaker' in hosts[2].tail(), '... with its reason', hosts[2].tail()[-300:])
out = hosts[3].tool('guard', 'status')
tap.ok(hosts[3].code == 1 and 'stopped policy bills' in out, '... and told by any', out)
tap.ok('seller.example' not in out, '... with the sender masked', out)
hosts[2].stop()
hosts[2].start()
tap.same(bill(hosts[2], 77003, 'h@three.example'), 'hold', '... also after a restart')
hosts[1].tool('guard', 'reset', '--all')
tap.ok(hosts[1].code != 0, 'a reset wants a reason')
out = hosts[1].tool('guard', 'reset', '--all', '--why', 'the template is mended')
tap.ok(hosts[1].code == 0 and 'runs again' in out, 'reset', out)
tap.same([bill(m, 77003, 'h@three.example') for m in hosts], ['deliver'] * 4, '... it runs again, on all hosts')
tap.ok('stream-stopped' in hosts[1].trail() + hosts[0].trail(),
       '... and the trail has when it was stopped')
tap.ok('template is mended' in hosts[1].trail(), '... and who let it run')

# ---- an account is forgotten ------------------------------------------------------------------------
tap.same(bill(hosts[0], 10002, 'buyer@beta.example'), 'deliver', 'a customer of the mapping has a bill')
hosts[1].tool('forget', '', '--why', 'nobody')
tap.same(hosts[1].code, 64, '... no word is nobody')
hosts[1].tool('forget', 'AC-2')
tap.same(hosts[1].code, 64, '... and a reason is wanted')
out = hosts[1].tool('forget', 'AC-2', '--why', 'the customer has left')
tap.ok(hosts[1].code == 0 and re.match(r'forgotten: 0 records, [1-9]\d* value', out), '... it is forgotten', out)
out = hosts[1].tool('forget', 'AC-2', '--why', 'the customer has left')
tap.ok(hosts[1].code == 1 and 'nothing was known of' in out, '... wholly', out)
tap.ok('account-forgotten' in hosts[1].trail() and 'the customer has left' in hosts[1].trail() and 'AC-2' not in hosts[1].trail(),
       '... and the trail says so, without its name')

# ---- a part of them is cut off ---------------------------------------------------------------------
marks = [m.mark() for m in hosts]
wire.cut()
got = [bill(m, 77020, 'p%d@part.example' % i) for i, m in enumerate(hosts)]
tap.same(got, ['deliver'] * 3 + ['tempfail'], 'two of four are cut off: they do what the policy says')
tap.same(['guard-unavailable' in m.tail(mark) for m, mark in zip(hosts, marks)], [False, False, True, True], '... with the reason')
wire.heal()
tap.ok(wait_for(lambda: bill(hosts[3], 77020, 'p0@part.example') == 'deliver'), 'they are back', hosts[3].tail()[-500:])
tap.ok(wait_for(lambda: bill(hosts[2], 77020, 'p1@part.example') == 'deliver' and 'guard-unavailable' not in hosts[2].tail()[-400:]),
       '... all', hosts[2].tail()[-500:])
got = [bill(hosts[3 - i], 77020, 'p%d@part.example' % (i + 4)) for i in range(3)]
tap.same(got, ['deliver', 'deliver', 'hold'], '... and what the others counted meanwhile is there: two of four')

# ---- away ----------------------------------------------------------------------------------------
def away(name):
    got = [bill(m, 77001, 'z@one.example') for m in hosts]
    tap.same(got, ['deliver'] * 3 + ['tempfail'], name + ': what the policy says, deliver or tempfail')
    tap.ok('guard-unavailable' in hosts[0].tail() and 'guard-unavailable' in hosts[3].tail(), '... with its own reason')


node.freeze()
away('frozen')
node.thaw()
tap.ok(wait_for(lambda: bill(hosts[0], 77001, 'y@one.example') == 'hold'), 'thawed: the window is as it was')
# What the frozen one was asked it counts when it thaws, and that may stop the stream, once more after a reset.  By its next
# message, or within five seconds, each host hears of one.
def runs():
    hosts[1].tool('guard', 'reset', '--all', '--why', 'thawed')
    return all(bill(m, 77001, 'a0@one.example') == 'deliver' for m in hosts)


tap.ok(wait_for(runs, step=1), '... for all', hosts[3].tail()[-600:])
node.stop()
away('killed')

# ---- nothing of anybody's is kept -------------------------------------------------------------------
node.start()
hosts[0].load(MAPPING)
tap.ok(wait_for(lambda: all(bill(m, 77009, 'secret@private.example') != 'tempfail' for m in hosts)), 'started anew')
node.cli('SAVE')
with open(node.dir + '/dump.rdb', 'rb') as f:
    kept = f.read()
tap.ok(b'{guard}' in kept, 'the guard keeps something')
tap.same([w for w in (b'77009', b'secret', b'private.example', b'billing@', b'C-7') if w in kept], [], '... but no values')
out = hosts[1].tool('guard', 'status')
tap.ok(hosts[1].code == 0, 'what Redis lost is forgotten, and counted anew', out)
tap.done()
