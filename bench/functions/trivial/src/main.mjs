/** Answers with what it was sent: the least a useful function does. */
export default ({ req, res }) => res.json({ received: req.bodyJson });
