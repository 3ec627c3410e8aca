/** The yardstick: Fastify with one route that takes JSON and answers JSON. Prints its address. */
import Fastify from 'fastify';

const app = Fastify();
app.post('/', (request, reply) => {
  reply.code(201);
  return { received: request.body };
});
console.log(await app.listen({ port: 0, host: '127.0.0.1' }));
