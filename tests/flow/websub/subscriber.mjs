// subscriber.mjs PORT HUB TOPIC [SECRET] - npm's pubsubhubbub subscribes, and says on standard output what it is told, a line of JSON each.
//
// Version 1.0.2 asks the hub to sign with HMAC-SHA1(secret, topic) and then checks with the secret itself; so it is given the former as its secret once it has asked. What has a wrong signature it
// takes with 202 and does not emit.
import crypto from 'node:crypto'
import readline from 'node:readline'
import pubsubhubbub from 'pubsubhubbub'

const [port, hub, topic, secret] = process.argv.slice(2)
const subscriber = pubsubhubbub.createServer({ callbackUrl: `http://127.0.0.1:${port}/hook`, secret, leaseSeconds: 7200 })
const say = (event, more) => console.log(JSON.stringify({ event, ...more }))

for (const event of ['subscribe', 'unsubscribe', 'denied']) subscriber.on(event, (data) => say(event, { topic: data.topic, lease: data.lease, error: data.error?.message }))
subscriber.on('feed', (data) => say('feed', { topic: data.topic, type: data.headers['content-type'], body: data.feed.toString() }))
subscriber.on('error', (e) => say('error', { error: e.message }))
subscriber.on('listen', () => {
  subscriber.subscribe(topic, hub)
  if (secret) subscriber.secret = crypto.createHmac('sha1', secret).update(topic).digest('hex')
})
subscriber.listen(Number(port), '127.0.0.1')
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'wrong') subscriber.secret = 'another'
  if (line === 'leave') { subscriber.secret = false; subscriber.unsubscribe(topic, hub) }
})
