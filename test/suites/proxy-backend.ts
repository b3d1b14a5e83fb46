import test, { type ExecutionContext } from 'ava';
import type { Endpoint, ProxyBackend, ServicePort, ServiceTable } from '../../proxy/backend.ts';
import type { NetPeer } from '../helpers/net-peer.ts';
import { servicePort } from '../helpers/service-port.ts';

/** A network with three servers in it, of which each says its name (`a`, `b`, `c`) on a TCP and a UDP port. */
export interface ProxyWorld {
  readonly backend: ProxyBackend;
  /** This machine: the one whose proxy the backend is. */
  readonly client: NetPeer;
  /** Endpoints by name, for TCP and for UDP. */
  readonly tcp: Readonly<Record<'a' | 'b' | 'c', Endpoint>>;
  readonly udp: Readonly<Record<'a' | 'b' | 'c', Endpoint>>;
  /** An address of the service network. */
  clusterIp(n: number): string;
  /** An address beyond it that the client has a way to. */
  publicIp(n: number): string;
  /** Where the client is when it asks there. */
  readonly clientNetwork: string;
  /** Numbers that are free on this machine. */
  readonly nodePorts: readonly [number, number];
  close(): Promise<void>;
}

const nodeHost = '127.0.0.1';
/** Above 1,023, so that no rights are needed. */
const ports = { web: 7_080, other: 7_081, dns: 7_053 } as const;

/** What a ProxyBackend must hold to. The tests share one world and run one after the other. */
export const proxyBackendSuite = (name: string, open: () => Promise<ProxyWorld>): void => {
  let world: ProxyWorld;
  test.serial.before(`${name}: the world`, async () => {
    world = await open();
  });
  test.serial.after.always(`${name}: the end of the world`, () => world?.close());

  const serial = (title: string, body: (t: ExecutionContext, world: ProxyWorld) => Promise<void>): void => {
    test.serial(`${name}: ${title}`, async (t) => {
      t.timeout(30_000);
      await body(t, world);
    });
  };

  const port = (more: Partial<ServicePort> & Pick<ServicePort, 'name'>): ServicePort =>
    servicePort({ clusterIps: [world.clusterIp(1)], port: ports.web, ...more });
  const tableOf = (...ports: readonly ServicePort[]): ServiceTable => new Map(ports.map((one) => [one.name, one]));
  /** Who answered, and `refused` and the like as they are. */
  const who = async (host: string, number: number, protocol: 'TCP' | 'UDP' = 'TCP'): Promise<string> => (await world.client.ask({ protocol, host, port: number })).split(' ')[0]!;
  const whoOf = async (count: number, host: string, number: number, protocol?: 'TCP' | 'UDP'): Promise<readonly string[]> => {
    const answers: string[] = [];
    for (let n = 0; n < count; n++) answers.push(await who(host, number, protocol));
    return answers;
  };
  const counted = (answers: readonly string[]): Readonly<Record<string, number>> => Object.fromEntries([...Map.groupBy(answers.toSorted(), (answer) => answer)].map(([answer, all]) => [answer, all.length]));

  serial('connections go to the endpoints in turn', async (t, { backend, tcp }) => {
    await backend.apply(tableOf(port({ name: 'ns/web:', endpoints: [tcp.a, tcp.b, tcp.c] })));
    t.deepEqual(counted(await whoOf(9, world.clusterIp(1), ports.web)), { a: 3, b: 3, c: 3 });
  });

  serial('what a client says at its end arrives, and the answer after it comes back', async (t, { backend, client, tcp }) => {
    await backend.apply(tableOf(port({ name: 'ns/web:', endpoints: [tcp.a] })));
    t.regex(await client.ask({ host: world.clusterIp(1), port: ports.web }), /^a \S+ end a$/);
  });

  serial('datagrams go to the endpoints in turn and come back from the service', async (t, { backend, udp }) => {
    await backend.apply(tableOf(port({ name: 'ns/dns:', protocol: 'UDP', port: ports.dns, endpoints: [udp.a, udp.b] })));
    t.deepEqual(counted(await whoOf(6, world.clusterIp(1), ports.dns, 'UDP')), { a: 3, b: 3 });
  });

  serial('node ports answer on this machine', async (t, { backend, tcp, udp, nodePorts }) => {
    await backend.apply(tableOf(
      port({ name: 'ns/web:', nodePort: nodePorts[0], endpoints: [tcp.a, tcp.b] }),
      port({ name: 'ns/dns:', protocol: 'UDP', port: ports.dns, nodePort: nodePorts[1], endpoints: [udp.c] }),
    ));
    t.deepEqual(counted(await whoOf(4, nodeHost, nodePorts[0])), { a: 2, b: 2 });
    t.is(await who(nodeHost, nodePorts[1], 'UDP'), 'c');
  });

  serial('a service without endpoints refuses at once, at all its addresses', async (t, { backend, nodePorts }) => {
    await backend.apply(tableOf(port({ name: 'ns/web:', nodePort: nodePorts[0] }), port({ name: 'ns/dns:', protocol: 'UDP', port: ports.dns })));
    t.is(await who(world.clusterIp(1), ports.web), 'refused');
    t.is(await who(nodeHost, nodePorts[0]), 'refused', 'node port');
    t.is(await who(world.clusterIp(1), ports.dns, 'UDP'), 'refused', 'UDP');
  });

  serial('a port that no service has refuses', async (t, { backend, tcp }) => {
    await backend.apply(tableOf(port({ name: 'ns/web:', endpoints: [tcp.a] })));
    t.is(await who(world.clusterIp(1), ports.other), 'refused');
    t.is(await who(world.clusterIp(2), ports.web), 'refused');
  });

  serial('an endpoint that goes gets no new connection, and those that stand go on', async (t, { backend, client, tcp }) => {
    await backend.apply(tableOf(port({ name: 'ns/web:', endpoints: [tcp.a] })));
    const handle = await client.open({ host: world.clusterIp(1), port: ports.web });
    t.regex(await client.say(handle), /^a /);
    await backend.apply(tableOf(port({ name: 'ns/web:', endpoints: [tcp.b] })));
    t.deepEqual(counted(await whoOf(4, world.clusterIp(1), ports.web)), { b: 4 });
    t.regex(await client.say(handle), /^a /);
    await backend.apply(tableOf());
    t.is(await who(world.clusterIp(1), ports.web), 'refused');
    t.regex(await client.say(handle), /^a /);
  });

  serial('services come, change and trade addresses in one apply', async (t, { backend, tcp, nodePorts }) => {
    const one = port({ name: 'ns/one:', endpoints: [tcp.a], nodePort: nodePorts[0] });
    const two = port({ name: 'ns/two:', clusterIps: [world.clusterIp(2)], endpoints: [tcp.b], nodePort: nodePorts[1] });
    await backend.apply(tableOf(one, two));
    t.deepEqual([await who(world.clusterIp(1), ports.web), await who(world.clusterIp(2), ports.web)], ['a', 'b']);
    const at = (nodePort: number) => ({ nodePort, insideNodePort: nodePort });
    await backend.apply(tableOf({ ...one, clusterIps: two.clusterIps, ...at(nodePorts[1]) }, { ...two, clusterIps: one.clusterIps, ...at(nodePorts[0]) }));
    t.deepEqual([await who(world.clusterIp(1), ports.web), await who(world.clusterIp(2), ports.web)], ['b', 'a']);
    t.deepEqual([await who(nodeHost, nodePorts[0]), await who(nodeHost, nodePorts[1])], ['b', 'a']);
    await backend.apply(tableOf({ ...one, port: ports.other, ...at(0) }));
    t.deepEqual([await who(world.clusterIp(1), ports.other), await who(world.clusterIp(1), ports.web), await who(nodeHost, nodePorts[0])], ['a', 'refused', 'refused']);
  });

  serial('a client with affinity stays with its endpoint as long as that is there', async (t, { backend, tcp }) => {
    const web = port({ name: 'ns/web:', endpoints: [tcp.a, tcp.b], affinitySeconds: 60 });
    await backend.apply(tableOf(web));
    const [first = ''] = await whoOf(1, world.clusterIp(1), ports.web);
    t.deepEqual(counted(await whoOf(5, world.clusterIp(1), ports.web)), { [first]: 5 });
    await backend.apply(tableOf({ ...web, endpoints: [tcp.a, tcp.b, tcp.c] }));
    t.deepEqual(counted(await whoOf(5, world.clusterIp(1), ports.web)), { [first]: 5 });
    const left = first === 'a' ? tcp.b : tcp.a;
    await backend.apply(tableOf({ ...web, endpoints: [left] }));
    t.deepEqual(counted(await whoOf(3, world.clusterIp(1), ports.web)), { [first === 'a' ? 'b' : 'a']: 3 });
    await backend.apply(tableOf({ ...web, affinitySeconds: 0, endpoints: [tcp.a, tcp.b] }));
    t.deepEqual(counted(await whoOf(4, world.clusterIp(1), ports.web)), { a: 2, b: 2 });
  });

  serial('a public address has the endpoints of the service, and its affinity', async (t, { backend, tcp, udp }) => {
    const open = [world.publicIp(1)];
    const web = port({ name: 'ns/web:', insideIps: open, outsideIps: open, endpoints: [tcp.a, tcp.b, tcp.c] });
    const dns = port({ name: 'ns/dns:', protocol: 'UDP', port: ports.dns, insideIps: open, outsideIps: open, endpoints: [udp.b] });
    await backend.apply(tableOf(web, dns));
    t.deepEqual(counted(await whoOf(9, world.publicIp(1), ports.web)), { a: 3, b: 3, c: 3 });
    t.is(await who(world.publicIp(1), ports.dns, 'UDP'), 'b');
    await backend.apply(tableOf({ ...web, affinitySeconds: 60 }, { ...dns, endpoints: [] }));
    t.is(new Set(await whoOf(5, world.publicIp(1), ports.web)).size, 1);
    t.is(await who(world.publicIp(1), ports.dns, 'UDP'), 'refused');
    await backend.apply(tableOf({ ...web, insideIps: [world.publicIp(2)], outsideIps: [world.publicIp(2)] }));
    t.deepEqual(counted(await whoOf(3, world.publicIp(2), ports.web)), { a: 1, b: 1, c: 1 });
    t.false(['a', 'b', 'c'].includes((await world.client.ask({ host: world.publicIp(1), port: ports.web, timeoutMs: 300 }))[0]!));
  });

  serial('public addresses move from one service to another', async (t, { backend, tcp }) => {
    const at = (n: number): Pick<ServicePort, 'insideIps' | 'outsideIps'> => ({ insideIps: [world.publicIp(n)], outsideIps: [world.publicIp(n)] });
    const [one, two] = [port({ name: 'ns/one:', endpoints: [tcp.a] }), port({ name: 'ns/two:', clusterIps: [world.clusterIp(2)], endpoints: [tcp.b] })];
    await backend.apply(tableOf({ ...one, ...at(1) }, { ...two, ...at(2) }));
    t.deepEqual([await who(world.publicIp(1), ports.web), await who(world.publicIp(2), ports.web)], ['a', 'b']);
    await backend.apply(tableOf({ ...one, ...at(2) }, { ...two, ...at(1) }));
    t.deepEqual([await who(world.publicIp(1), ports.web), await who(world.publicIp(2), ports.web)], ['b', 'a']);
    await backend.apply(tableOf(one, { ...two, ...at(1) }));
    t.is(await who(world.publicIp(1), ports.web), 'b');
  });

  serial('a guarded address takes clients of its ranges only; the address in the cluster takes all', async (t, { backend, tcp, udp }) => {
    const open = [world.publicIp(1)];
    const table = (...ranges: readonly string[]): ServiceTable => {
      const common = { insideIps: open, outsideIps: open, guard: { ips: open, ranges } };
      return tableOf(port({ name: 'ns/web:', endpoints: [tcp.a], ...common }), port({ name: 'ns/dns:', protocol: 'UDP', port: ports.dns, endpoints: [udp.a], ...common }));
    };
    const answers = async (host: string): Promise<readonly boolean[]> => [
      (await world.client.ask({ host, port: ports.web, timeoutMs: 300 })).startsWith('a '), (await world.client.ask({ protocol: 'UDP', host, port: ports.dns, timeoutMs: 300 })).startsWith('a '),
    ];
    await backend.apply(table('192.0.2.0/24', world.clientNetwork));
    t.deepEqual(await answers(world.publicIp(1)), [true, true]);
    for (const ranges of [['192.0.2.0/24'], []]) {
      await backend.apply(table(...ranges));
      t.deepEqual([await answers(world.publicIp(1)), await answers(world.clusterIp(1))], [[false, false], [true, true]], ranges.join());
    }
    await backend.apply(table('0.0.0.0/0'));
    t.deepEqual(await answers(world.publicIp(1)), [true, true]);
  });

  serial('a change of one service leaves the turn of another alone', async (t, { backend, tcp }) => {
    const steady = port({ name: 'ns/steady:', clusterIps: [world.clusterIp(2)], endpoints: [tcp.a, tcp.b] });
    const answers: string[] = [];
    for (let n = 0; n < 6; n++) {
      await backend.apply(tableOf(steady, port({ name: 'ns/web:', endpoints: n % 2 === 0 ? [tcp.a] : [tcp.b, tcp.c] })));
      answers.push(await who(world.clusterIp(2), ports.web));
    }
    t.deepEqual(counted(answers), { a: 3, b: 3 });
  });

  serial('the same table again changes nothing; applies that overlap end with the last one', async (t, { backend, tcp }) => {
    const table = (endpoint: Endpoint): ServiceTable => tableOf(port({ name: 'ns/web:', endpoints: [endpoint] }));
    await backend.apply(table(tcp.a));
    await backend.apply(table(tcp.a));
    t.is(await who(world.clusterIp(1), ports.web), 'a');
    await Promise.all([backend.apply(table(tcp.b)), backend.apply(table(tcp.c)), backend.apply(table(tcp.a)), backend.apply(table(tcp.b))]);
    t.is(await who(world.clusterIp(1), ports.web), 'b');
  });

  serial('remove takes everything away, and apply begins anew', async (t, { backend, tcp, nodePorts }) => {
    const table = tableOf(port({ name: 'ns/web:', endpoints: [tcp.a], nodePort: nodePorts[0] }));
    await backend.apply(table);
    await backend.remove();
    await backend.remove();
    t.is(await who(nodeHost, nodePorts[0]), 'refused');
    t.not(await world.client.ask({ host: world.clusterIp(1), port: ports.web, timeoutMs: 300 }).then((answer) => answer.split(' ')[0]), 'a');
    await backend.apply(table);
    t.is(await who(nodeHost, nodePorts[0]), 'a');
    t.is(await who(world.clusterIp(1), ports.web), 'a');
  });
};
