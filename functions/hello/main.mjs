/** Answers with the request it was sent: the quickest way to see what a function is given. */
export default async ({ req, res, log }) => {
  log(`${req.method} ${req.path}`);
  return res.json({
    message: 'Hello from your function!',
    method: req.method,
    path: req.path,
    query: req.query,
    headers: req.headers,
    body: req.body,
  });
};
