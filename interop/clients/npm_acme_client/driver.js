// acme-client from npm. A driver in another language than the harness: job.json in, result.json and artefacts out, exit status 0, 1 or 77.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const tls = require('node:tls');
const acme = require('acme-client');

const DONE = 0, FAILED = 1, UNSUPPORTED = 77;
const REASONS = { unspecified: 0, keyCompromise: 1, affiliationChanged: 3, superseded: 4, cessationOfOperation: 5 };
const KEYS = {
    ec256: () => acme.crypto.createPrivateEcdsaKey('P-256'),
    ec384: () => acme.crypto.createPrivateEcdsaKey('P-384'),
    rsa2048: () => acme.crypto.createPrivateRsaKey(2048),
    rsa3072: () => acme.crypto.createPrivateRsaKey(3072),
    rsa4096: () => acme.crypto.createPrivateRsaKey(4096),
};

class Unsupported extends Error {}

const file = process.argv[2];
const folder = path.dirname(file);
const job = JSON.parse(fs.readFileSync(file, 'utf8'));
const result = { detail: '', steps: [], artefacts: {} };
const state = {};

function redact(text) {
    return (job.credential?.secrets ?? []).reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text);
}

function log(text) {
    fs.appendFileSync(path.join(folder, 'log.txt'), `${redact(text)}\n`);
}

function need(table, wanted) {
    if (!Object.hasOwn(table, wanted)) throw new Unsupported(`this client has no ${wanted}`);
    return table[wanted];
}

function keep(label, content, suffix = '.pem') {
    const name = `artefacts/${label}${suffix}`;
    fs.mkdirSync(path.join(folder, 'artefacts'), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content, { mode: 0o600 });
    result.artefacts[label] = name;
}

// One call of the library, for as long as the job has patience: what other clients' commands are.
async function step(words, call) {
    const started = Date.now();
    let exit = 0, timer;
    log(`$ ${words}`);
    const impatience = new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`not done in ${job.patience} s`)), job.patience * 1000);
    });
    try {
        return await Promise.race([call(), impatience]);
    } catch (error) {
        exit = 1;
        log(String(error.stack ?? error));
        throw error;
    } finally {
        clearTimeout(timer);
        log(`[exit ${exit}]\n`);
        result.steps.push({ command: redact(words), exit, seconds: (Date.now() - started) / 1000 });
    }
}

function listening(server, port) {
    return new Promise((resolve, reject) => server.once('error', reject).listen({ port, host: '::' }, () => resolve(server)));
}

// How each challenge is answered: an object with create, remove and close.
const ANSWERS = {
    'http-01': async () => {
        const files = new Map();
        const server = await listening(http.createServer((request, response) => {
            const answer = files.get(request.url);
            response.writeHead(answer ? 200 : 404).end(answer ?? '');
        }), 80);
        const place = (challenge) => `/.well-known/acme-challenge/${challenge.token}`;
        return {
            create: (authz, challenge, answer) => files.set(place(challenge), answer),
            remove: (authz, challenge) => files.delete(place(challenge)),
            close: () => server.close(),
        };
    },
    'tls-alpn-01': async () => {
        const contexts = new Map();
        const server = await listening(tls.createServer({
            ALPNProtocols: ['acme-tls/1'],
            SNICallback: (name, done) => done(null, contexts.get(name)),
        }, (socket) => socket.end()), 443);
        server.on('tlsClientError', (error) => log(`tls: ${error.message}`));
        return {
            create: async (authz, challenge, answer) => {
                const [key, cert] = await acme.crypto.createAlpnCertificate(authz, answer);
                contexts.set(authz.identifier.value, tls.createSecureContext({ key, cert }));
            },
            remove: (authz) => contexts.delete(authz.identifier.value),
            close: () => server.close(),
        };
    },
    'dns-01': async () => {
        const change = (action, authz, more) => fetch(`${job.dns_api}/${action}-txt`, {
            method: 'POST',
            body: JSON.stringify({ host: `_acme-challenge.${authz.identifier.value}.`, ...more }),
        });
        return {
            create: (authz, challenge, value) => change('set', authz, { value }),
            remove: (authz) => change('clear', authz, {}),
            close: () => {},
        };
    },
};

async function register() {
    if (state.client) return;
    state.accountKey = await acme.crypto.createPrivateEcdsaKey('P-256');
    const external = job.credential && { kid: job.credential.kid, hmacKey: job.credential.hmac_key };
    const client = new acme.Client({
        directoryUrl: job.url,
        accountKey: state.accountKey,
        ...(external ? { externalAccountBinding: external } : {}),
    });
    await step('createAccount', () => client.createAccount({ termsOfServiceAgreed: true, contact: ['mailto:lab@example.test'] }));
    state.client = client;
    keep('account.key', state.accountKey);
    keep('account.url', client.getAccountUrl(), '.txt');
}

async function issue(label) {
    const key = await need(KEYS, job.key)();
    const [, csr] = await acme.crypto.createCsr({ commonName: job.names[0], altNames: job.names }, key);
    const answers = await need(ANSWERS, job.challenge)();
    try {
        await register();
        state.certificate = await step(`auto ${job.names.join(' ')}`, () => state.client.auto({
            csr,
            termsOfServiceAgreed: true,
            challengePriority: [job.challenge],
            skipChallengeVerification: true,
            challengeCreateFn: answers.create,
            challengeRemoveFn: answers.remove,
        }));
    } finally {
        answers.close();
    }
    keep(`${label}.certificate`, state.certificate);
    keep(`${label}.key`, key);
}

const ACTIONS = {
    register,
    issue: () => issue('issue'),
    renew: () => issue('renew'),
    revoke: () => {
        const reason = need(REASONS, job.reason);
        return step(`revokeCertificate ${job.reason}`, () => state.client.revokeCertificate(state.certificate, { reason }));
    },
    deactivate: () => step('updateAccount deactivated', () => state.client.updateAccount({ status: 'deactivated' })),
};

async function main() {
    try {
        const missing = job.actions.filter((action) => !Object.hasOwn(ACTIONS, action));
        if (missing.length) throw new Unsupported(`this client has no action ${missing.join(', ')}`);
        for (const action of job.actions) await ACTIONS[action]();
        return DONE;
    } catch (error) {
        result.detail = redact(error.message);
        return error instanceof Unsupported ? UNSUPPORTED : FAILED;
    }
}

main().then((status) => {
    fs.writeFileSync(path.join(folder, 'result.json'), JSON.stringify(result, null, 1));
    process.exit(status);
});
