// An authorization server for tests: oidc-provider, with clients for a person
// (device code, browser), for a daemon and for the mail server that asks whose a
// token is. It takes its settings as JSON in its first argument, says "ready"
// when it listens, and ends when its standard input does.
import { Provider } from 'oidc-provider';

const settings = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${settings.port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'tidings',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/'],
    },
    {
      client_id: 'daemon',
      client_secret: settings.daemonSecret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      scope: 'mail',
    },
    {
      client_id: 'mailserver',
      client_secret: settings.mailserverSecret,
      grant_types: [],
      response_types: [],
      redirect_uris: [],
    },
  ],
  scopes: ['openid', 'offline_access', 'mail'],
  cookies: { keys: ['only for tests'] },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
  },
  pkce: { methods: ['S256'], required: () => true },
  rotateRefreshToken: true,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  ttl: {
    AccessToken: settings.accessSeconds,
    ClientCredentials: settings.accessSeconds,
    DeviceCode: settings.deviceSeconds,
    Grant: 3600,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 3600,
  },
});

// What the tests look at and turn.
const counts = {};
const grants = new Set();
let failures = 0;
provider.on('grant.saved', (grant) => grants.add(grant.jti));
provider.on('grant.success', (ctx) => {
  const type = ctx.oidc.params.grant_type;
  counts[type] = (counts[type] ?? 0) + 1;
});
provider.on('grant.error', (ctx, err) => {
  const what = `${ctx.oidc?.params?.grant_type} ${err.error}`;
  counts[what] = (counts[what] ?? 0) + 1;
});

// Everything secret that it ever gave; tokens are their own names here.
const secrets = {};
for (const kind of ['access_token', 'refresh_token', 'device_code', 'authorization_code', 'client_credentials']) {
  secrets[kind] = [];
  provider.on(`${kind}.saved`, (given) => {
    if (!secrets[kind].includes(given.jti)) secrets[kind].push(given.jti);
  });
}

async function revokeAll() {
  for (const id of grants) {
    for (const model of ['AccessToken', 'RefreshToken', 'DeviceCode', 'AuthorizationCode']) {
      await provider[model].revokeByGrantId(id);
    }
    await (await provider.Grant.find(id))?.destroy();
  }
}

provider.use(async (ctx, next) => {
  switch (ctx.path) {
    case '/test/counts':
      ctx.body = counts;
      return;
    case '/test/secrets':
      ctx.body = secrets;
      return;
    case '/test/revoke':
      await revokeAll();
      ctx.body = {};
      return;
    case '/test/fail': // the token endpoint, so many times
      failures = Number(ctx.query.times);
      ctx.body = {};
      return;
    case '/token':
      if (failures > 0) {
        failures -= 1;
        ctx.status = 503;
        ctx.body = 'busy';
        return;
      }
  }
  await next();
  // A mail server asks for a user's name; of a daemon there is none but its own.
  if (ctx.path === '/token/introspection' && ctx.body?.active) {
    ctx.body.username = ctx.body.sub ?? settings.daemonUser;
  }
});

provider.listen(settings.port, '127.0.0.1', () => console.log('ready'));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
