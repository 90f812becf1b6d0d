"""Redis as its operators run it: users, TLS, replicas, Sentinel.  Whatever fails, no verdict is wrong, and an outage
costs one timeout."""
import copy
import shutil
import time

from rig import *
from servers import *

tap = Tap()
S = scratch_folder()
TO = ['kunde@alpha.example']
KIND = os.environ.get('MS_REDIS', 'redis')
PASSWORD = S + '/password'
with open(PASSWORD, 'w') as f:
    f.write('readpw\n')
MOVED = [(('AC-2' if v == 'C-10001' else 'AC-1' if v == 'C-10002' else a), k, v) for a, k, v in MAPPING]


def directory(more, timeout='500ms'):
    return 'backend = redis\ntimeout = %s\n%s' % (timeout, more)


def site(name, conf, mapping=MAPPING):
    """A missentd; its mapping is loaded by the same settings."""
    return Missent(S + '/' + name, directory=directory(conf), mapping=mapping)


def ask(m, body=RIGHT):
    begun = time.monotonic()
    got = verdict(m.socket, message('one', body), TO)
    return got, time.monotonic() - begun


def answer(m, body=RIGHT):
    """The verdict once the directory has answered: beside others an answer may come late, and the next after that is
    not waited for."""
    got = []
    wait_for(lambda: got.append(ask(m, body)[0]) or got[-1] != 'tempfail', 10, 0.2)
    return got[-1]


def until(m, want, seconds, body=RIGHT):
    return wait_for(lambda: ask(m, body)[0] == want, seconds, 0.1)


# ---- TCP, a user with the rights of the manual page; frozen --------------------------------------
node = Node(S, kind=KIND).start()
with open(SOURCE + '/milter/directory/missent-directory.7') as f:
    page = f.read()
rights = re.search(r'^user missent on >PASSWORD (.*?)^user', page, re.M | re.S).group(1).split()
node.cli('ACL', 'SETUSER', 'missent', 'on', '>readpw', *rights)
m = site('tcp', 'redis = "%s"\n' % node.address)
m.directory += 'redis-user = missent\nredis-password-file = "%s"\n' % PASSWORD
m.write_conf()
node.cli('ACL', 'SETUSER', 'default', 'off')
m.start()
tap.same([answer(m), answer(m, WRONG)], ['deliver', 'hold'], 'TCP, as a user with no more rights than the manual says')
out = m.tool('directory', 'put', 'AC-1', 'customer-number', 'C-9999')
tap.ok(m.code != 0 and 'lacks a right' in out, '... who may write nothing', out)
node.freeze()
first, took = ask(m)
mark = m.mark()
later = [ask(m) for _ in range(10)]
tap.ok(first == 'tempfail' and took < 1.5 * SLOW, 'frozen: the first message waits one timeout', (first, took))
tap.ok(all(got == 'tempfail' for got, _ in later) and max(t for _, t in later) < 0.4 * SLOW,
       '... and the next ten wait for nothing', later)
tap.ok(node.address in m.tail(mark) and 'no answer in time' in m.tail(mark), '... the log has the server and the reason',
       m.tail(mark))
node.thaw()
tap.ok(until(m, 'deliver', 8), '... thawed: found again by a probe')
node.stop()
tap.same(ask(m)[0], 'tempfail', 'stopped: tempfail')
m.stop()

# ---- TLS ----------------------------------------------------------------------------------------
certificates = Certificates(S)
tls = free_port()
node = Node(S, *certificates.options(tls), kind=KIND).start()
m = site('tls', 'redis = "127.0.0.1:%d"\nredis-tls = yes\nredis-tls-ca = "%s/ca.pem"\n' % (tls, certificates.dir))
m.start()
tap.same([answer(m), answer(m, WRONG)], ['deliver', 'hold'], 'TLS, by an address that the certificate has')
good = m.directory
for name, more, want in (
        ('another name', 'redis-tls-name = "redis.other.example"\n', 'tempfail'),
        ('its name', 'redis-tls-name = "redis.seller.example"\n', 'deliver')):
    m.stop()
    m.directory = good + more
    m.write_conf()
    m.start()
    mark = m.mark()
    tap.same(ask(m)[0], want, 'TLS: asked by %s' % name)
    tap.ok(want == 'deliver' or '(redis-tls-name)' in m.tail(mark), '... which the log says', m.tail(mark))
m.stop()
m.directory = good.replace('redis-tls-ca', '# redis-tls-ca')
m.write_conf()
mark = m.mark()
m.start()
tap.same(ask(m)[0], 'tempfail', 'TLS: an authority that is not trusted')
tap.ok('(redis-tls-ca)' in m.tail(mark), '... which the log says', m.tail(mark))
m.stop()
m.directory = directory('redis = "127.0.0.1:%d"\n' % tls)
m.write_conf()
mark = m.mark()
m.start()
tap.same(ask(m)[0], 'tempfail', 'plain text to a port of TLS')
tap.ok('(is that port one of TLS? redis-tls)' in m.tail(mark), '... which the log says', m.tail(mark))
m.stop()
m.directory = good.replace(':%d"' % tls, ':%d"' % node.port)
m.write_conf()
out = m.tool('directory', 'stats')
tap.ok('no answer in time to TLS' in out, 'TLS to a port of plain text', out)

# ---- beyond this host in plain text -----------------------------------------------------------------
for address in ('192.0.2.77:6379', 'redis.seller.example:6379', '[2001:db8::7]:6379'):
    m.directory = directory('redis = "%s"\n' % address)
    m.write_conf()
    out = m.tool('config', 'check')
    tap.ok(m.code != 0 and 'redis-plaintext' in out, 'config check: %s in plain text is refused' % address, out)
m.directory += 'redis-plaintext = allowed\n'
m.write_conf()
out = m.tool('config', 'check')
tap.ok(m.code != 78 and 'warning: redis-plaintext' in out and 'redis-password-file' in out,
       '... unless it is allowed in words, and then it warns', out)
node.stop()

# ---- a replica on the mail host ------------------------------------------------------------------------
primary = Node(S, 'repl-ping-replica-period 1', kind=KIND).start()
replica = Node(S, 'replicaof 127.0.0.1 %d' % primary.port, kind=KIND).start()
wait_for(lambda: replica.info('replication', 'master_link_status') == 'up', 20)
m = site('replica', 'redis = "%s"\nredis-replica = "%s"\nredis-max-lag = 3s\nredis-behind = defer\n'
         % (primary.address, replica.address))
m.start()
tap.same([answer(m), answer(m, WRONG)], ['deliver', 'hold'], 'a replica answers')
before = primary.info('commandstats', 'cmdstat_evalsha')
for _ in range(5):
    ask(m)
tap.same(primary.info('commandstats', 'cmdstat_evalsha'), before, '... and the primary is not asked')
primary.freeze()
tap.same(ask(m)[0], 'deliver', 'the primary frozen: the replica answers on')
tap.ok(until(m, 'tempfail', 6), '... no longer than redis-max-lag')
primary.thaw()
tap.ok(until(m, 'deliver', 10), '... thawed: it answers again')
# A replica that lost its primary, and an import that it does not see
replica.cli('REPLICAOF', '127.0.0.1', '1')
m.load(MOVED)
wait_for(lambda: ask(m, WRONG)[0] != 'hold', 6)
tap.same(ask(m, WRONG)[0], 'tempfail', 'a replica that is behind an import: unavailable')
tap.ok('redis-max-lag' in m.tail() or 'no replica of the primary' in m.tail(), '... which the log says', m.tail()[-600:])
m.stop()
m.directory = m.directory.replace('redis-behind = defer', 'redis-behind = primary')
m.write_conf()
m.start()
tap.same([answer(m), answer(m, WRONG)], ['hold', 'deliver'], '... or, as it is set, the primary is asked')
replica.cli('REPLICAOF', '127.0.0.1', str(primary.port))
wait_for(lambda: replica.info('replication', 'master_link_status') == 'up', 20)
replica.freeze()
tap.same([ask(m)[0], ask(m)[1] < 0.4 * SLOW], ['hold', True], 'the replica frozen: the primary, without waiting again')
replica.thaw()
m.stop()
# What the primary said while the replica was away is newer than what that may still say.
m.directory = m.directory.replace('redis-max-lag = 3s', 'redis-max-lag = 30s')
m.write_conf()
m.start()
tap.ok(until(m, 'hold', 10), 'a replica that may be far behind')
replica.cli('REPLICAOF', '127.0.0.1', '1')
replica.freeze()
out = m.tool('directory', 'put', 'AC-1', 'customer-number', 'C-90009')
tap.same(ask(m)[0], 'hold', '... is away, and a change comes')
replica.thaw()
time.sleep(0.5)
tap.same({ask(m)[0] for _ in range(8)}, {'hold'}, '... back without it: no older copy has come back')
m.stop()

# ---- one address: what it has become, and a memory that is full ------------------------------------------
m.directory = directory('redis = "%s"\n' % primary.address)
m.write_conf()
m.start()
both = lambda: (ask(m)[0], ask(m, WRONG)[0])
tap.same(both(), ('hold', 'deliver'), 'one address')
replica.stop()
primary.cli('CONFIG', 'SET', 'maxmemory', '1mb')
out = m.tool('directory', 'import', '-', stdin='account,kind,value\n' + ''.join('%s,%s,"%s"\n' % r for r in MAPPING))
tap.ok(m.code != 0 and 'OOM' in out, 'its memory is full: an import says so', out)
tap.same(both(), ('hold', 'deliver'), '... and what was there is there')
before = primary.cli('DBSIZE')
primary.cli('CONFIG', 'SET', 'maxmemory', str(int(primary.info('memory', 'used_memory')) + 500000))
with open(S + '/many.csv', 'w') as f:  # of which an import could go on
    f.write(''.join('X%d,customer-number,C-%d\n' % (i, 500000 + i) for i in range(30000)))
out = m.tool('directory', 'import', S + '/many.csv')
tap.ok(m.code == 75 and 'OOM' in out, '... amid an import', out)
tap.same(primary.cli('DBSIZE'), before, '... which leaves nothing there: others write there too')
primary.cli('CONFIG', 'SET', 'maxmemory', '0')
for stale, how in (('yes', 'what it had'), ('no', 'MASTERDOWN')):
    primary.cli('CONFIG', 'SET', 'replica-serve-stale-data', stale)
    primary.cli('REPLICAOF', '127.0.0.1', '1')
    mark = m.mark()
    tap.ok(wait_for(lambda: both() == ('tempfail', 'tempfail'), 10), 'made a replica, which answers %s: unavailable' % how)
    tap.ok('is not the primary' in m.tail(mark) or 'MASTERDOWN' in m.tail(mark), '... which the log says', m.tail(mark)[-600:])
    tap.ok(all(both() == ('tempfail', 'tempfail') for _ in range(3)), '... for as long as it is one')
    primary.cli('REPLICAOF', 'NO', 'ONE')
    tap.ok(wait_for(lambda: both() == ('hold', 'deliver'), 10), '... primary again: it answers')
m.stop()
primary.stop()

# ---- Sentinel -------------------------------------------------------------------------------------------
nodes = [Node(S, 'min-replicas-max-lag 2', kind=KIND).start()]
nodes += [Node(S, 'replicaof 127.0.0.1 %d' % nodes[0].port, kind=KIND).start() for _ in range(2)]
wait_for(lambda: all(n.info('replication', 'master_link_status') == 'up' for n in nodes[1:]), 20)
watchers = sentinels(S, nodes[0], kind=KIND)
named = 'redis-sentinels = {%s}\nredis-master = mapping\n' % ', '.join('"%s"' % w.address for w in watchers)
m = site('sentinel', named)
m.start()
tap.same([answer(m), answer(m, WRONG)], ['deliver', 'hold'], 'the primary is found through Sentinel')
role = lambda n: n.process and n.info('replication', 'role')


def new_primary(old, seconds=40):
    return wait_for(lambda: next((n for n in nodes if n is not old and n.process and role(n) == 'master'), None), seconds)


with Traffic(m) as traffic:
    time.sleep(1)
    begun = time.monotonic()
    nodes[0].stop()
    second = new_primary(nodes[0])
    back = until(m, 'deliver', 40)
    print('# killed: mail again after %.1f s' % (time.monotonic() - begun))
    tap.ok(second and back, 'the primary killed: mail flows again through the next')
    nodes[0].start()  # empty: it must not be believed
    wait_for(lambda: role(nodes[0]) == 'slave', 30)
    tap.ok(until(m, 'deliver', 10), 'the first one back: a replica now')
    wait_for(lambda: sum(n.info('replication', 'master_link_status') == 'up' for n in nodes) == 2, 30)
    second.freeze()
    third = new_primary(second)
    back = until(m, 'deliver', 40)
    tap.ok(third and back, 'the primary frozen: mail flows again through the next')
    out = m.load(MAPPING)
    second.thaw()
    wait_for(lambda: role(second) == 'slave', 30)
    time.sleep(1)
    watchers[0].freeze()
    tap.ok(until(m, 'deliver', 10), 'a sentinel frozen: nothing lacks')
    watchers[0].thaw()
print('# ' + ' '.join('%s %s: %d,' % (a, b, n) for (a, b), n in sorted(traffic.counts.items())))
tap.ok(not traffic.bad, 'all the while no verdict was wrong', traffic.bad)
m.load(MOVED)
tap.same([answer(m), answer(m, WRONG)], ['hold', 'deliver'], 'an import after all that is the one in use')
for w in watchers:
    w.stop()
tap.same([answer(m), answer(m, WRONG)], ['hold', 'deliver'], 'all sentinels away: the primary goes on')
m.stop()
m.start()
tap.same(ask(m)[0], 'tempfail', '... but who starts then does not know it')
m.stop()
for n in nodes:
    n.stop()

# ---- Cluster ----------------------------------------------------------------------------------------------
cluster = Cluster(S, kind=KIND)
MANY = MAPPING + [('X%d' % i, 'customer-number', 'C-%d' % (200000 + i)) for i in range(4000)] + [('LEFT', 'customer-number', 'C-%d' % (300000 + i)) for i in range(300)]
seeds = 'redis = "%s"\n' % ' '.join(x.address for x in cluster.nodes[:3])
for prefix in ('{m}', 'missent'):
    m = site('cluster-' + prefix.strip('{}'), 'redis-cluster = yes\nredis-prefix = "%s"\n%s' % (prefix, seeds), MANY)
    m.start()
    tap.same([answer(m), answer(m, WRONG)], ['deliver', 'hold'], 'a Cluster answers (%s)' % prefix)
    if prefix == '{m}':
        m.stop()
tap.ok(all(int(x.cli('DBSIZE')) > 20 for x in cluster.primaries()), 'the mapping is on all nodes')
out = m.tool('directory', 'remove', '--yes', '--why', 'has left', 'LEFT')
tap.ok(m.code == 0 and 'removed: 300 entries' in out, '... and an account goes from all of them', out)
m.tool('directory', 'remove', '-n', 'LEFT')
tap.ok(m.code == 1 and m.tool('directory', 'verify').endswith('0 wrong\n'), '... wholly')
tap.same([answer(m), answer(m, WRONG)], ['deliver', 'hold'], '... and no other')
key = lambda name: 'missent:%s:{missent}' % name
control = cluster.slot(key('current'))
for n in cluster.nodes:
    n.cli('ACL', 'SETUSER', 'missent', 'on', '>readpw', *rights, '+cluster|slots', '+asking')
plain = m.directory
m.stop()
m.directory += 'redis-user = missent\nredis-password-file = "%s"\n' % PASSWORD
m.write_conf()
m.start()
tap.same([answer(m), answer(m, WRONG)], ['deliver', 'hold'], '... also to a user with no more rights than the manual says')
m.directory = plain
m.write_conf()
with Traffic(m) as traffic:
    time.sleep(0.5)
    generation = cluster.owner(control).cli('GET', key('current'))
    for slot in [control] + [cluster.slot('missent:%s:s:%d' % (generation, i)) for i in range(6)]:
        before = cluster.owner(slot)
        after = next(x for x in cluster.primaries() if x is not before)
        cluster.move(slot, after, 0.02)
        tap.ok(cluster.owner(slot) is after, 'slot %d moved in traffic' % slot)
    tap.same(traffic.total('tempfail'), 0, '... which no mail has to wait for')
    m.load(MANY)
    tap.ok('added' in m.tool('directory', 'put', 'AC-1', 'customer-number', 'C-77777'), 'a change')
    tap.ok(until(m, 'deliver', 5, 'customer number: C-77777\n'), '... takes effect')
    out = m.tool('directory', 'verify')
    tap.ok(m.code == 0 and ' 0 wrong' in out, '... and all is whole', out)
    # What a replica has not got yet goes with its primary.
    wait_for(lambda: all(x.info('replication', 'master_link_status') in ('up', None) for x in cluster.alive()), 20)
    time.sleep(1)
    begun = time.monotonic()
    dead = cluster.owner(control)
    dead.stop()
    tap.ok(until(m, 'deliver', 30), 'a node killed: its replica answers in its place')
    print('# mail again after %.1f s' % (time.monotonic() - begun))
print('# ' + ' '.join('%s %s: %d,' % (a, b, n) for (a, b), n in sorted(traffic.counts.items())))
tap.ok(not traffic.bad, 'all the while no verdict was wrong', traffic.bad)
m.load(MOVED)
tap.same([answer(m), answer(m, WRONG)], ['hold', 'deliver'], 'an import with a node gone is the one in use')

# A writer that died in the middle of a change: some parts are new, the state is not.
parts = lambda: {k: cluster.owner(cluster.slot(k)).raw('GET', k) for x in cluster.primaries()
                 for k in x.cli('KEYS', 'missent:*').split()}
# It has seen nothing of what it made, nor has this host: the writer is another, and missentd asks nothing meanwhile.
m.stop()
writer = copy.copy(m)
writer.dir, writer.conf = m.dir + '-writer', m.dir + '-writer/missent.conf'
shutil.copytree(m.dir, writer.dir)
with open(m.conf) as before, open(writer.conf, 'w') as after:
    after.write(before.read().replace(m.dir + '/', writer.dir + '/'))
old = parts()
writer.tool('directory', 'put', 'AC-1', 'customer-number', 'C-66666')
new = parts()
generation = old[key('current')].decode()
state = key(generation + ':now')
changed = [k for k in new if new[k] != old.get(k) and k != state]
home = cluster.owner(control)
home.raw('SET', state, old[state])
for k in changed[1:]:
    if k in old:
        cluster.owner(cluster.slot(k)).raw('SET', k, old[k])
    else:
        cluster.owner(cluster.slot(k)).raw('DEL', k)
home.raw('RPUSH', key(generation + ':redo'), new[state], *(x for k in changed for x in (k, new[k])))
m.start()
tap.same([answer(m), answer(m, WRONG)], ['hold', 'deliver'], 'a change that was cut off: mail is judged on')
m.tool('directory', 'verify')
tap.ok(m.code != 0, '... whether all is whole cannot be said')
out = m.tool('directory', 'put', 'AC-1', 'customer-number', 'C-88888')
tap.ok('added' in out, '... the next change finishes it', out)
out = m.tool('directory', 'verify')
tap.ok(m.code == 0 and ' 0 wrong' in out, '... then all is whole', out)
tap.same([answer(m, 'customer number: C-66666\n'), answer(m, 'customer number: C-88888\n')], ['deliver'] * 2,
         '... and both have taken effect')
# A part that is lost
gone = sorted(k for k in new if k.startswith('missent:%s:s:' % generation))
for k in gone:
    cluster.owner(cluster.slot(k)).cli('DEL', k)
tap.same(ask(m)[0], 'tempfail', 'parts that are gone: unavailable')
m.stop()
for n in cluster.nodes:
    n.stop()

if KIND == 'redis':
    if 'valkey' in family():
        env = dict(os.environ, MS_REDIS='valkey')
        done = subprocess.run([sys.executable, __file__], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        tap.ok(done.returncode == 0, 'all of it with Valkey', done.stdout)
    else:
        tap.skip('all of it with Valkey', 'valkey-server is not installed')
tap.done()
