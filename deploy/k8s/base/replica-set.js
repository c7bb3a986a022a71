// Makes this node a replica set of one, and succeeds once it accepts writes. Run again and again by the health check of
// docker-compose.yml and the startup probe of mongodb.yaml, so every step must do nothing where it is done already.
try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: process.env.REPLICA_SET_HOST }] });
}
if (!db.hello().isWritablePrimary) quit(1); // the election takes a second or two
