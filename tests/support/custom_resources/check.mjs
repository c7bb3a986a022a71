// Reads manifests as a JSON array from standard input, and writes for each what is wrong with it: a JSON array of lists.
//
// The validators say what is missing or malformed. They ignore fields that no schema has, which an API server drops
// unseen; but they look at each field that one has. So the manifest is handed to them as a proxy that notes what is
// looked at, and what never was is unknown.
import { text } from "node:stream/consumers";

const PACKAGES = {
  "gateway.networking.k8s.io/v1": ["gateway-api", "IoK8sSigsGatewayApiApisV1"],
  "keda.sh/v1alpha1": ["keda", "ComGithubKedacoreKedaV2ApisKedaV1alpha1"],
  "monitoring.coreos.com/v1": [
    "prometheus-operator",
    "ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1",
  ],
  "cert-manager.io/v1": ["cert-manager", "ComGithubCertManagerCertManagerPkgApisCertmanagerV1"],
};

const isNode = (value) => value !== null && typeof value === "object";

function watched(value, path, seen) {
  if (!isNode(value)) return value;
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === "string" && Object.hasOwn(target, key)) seen.add(`${path}/${key}`);
      return watched(Reflect.get(target, key), `${path}/${key}`, seen);
    },
  });
}

function* paths(value, path) {
  for (const key of isNode(value) ? Object.keys(value) : []) {
    yield `${path}/${key}`;
    yield* paths(value[key], `${path}/${key}`);
  }
}

async function findings(manifest) {
  const [name, prefix] = PACKAGES[manifest.apiVersion] ?? [];
  if (!name) return [`no schema of ${manifest.apiVersion} is known here`];
  const { validate } = await import(
    `./node_modules/@kubernetes-models/${name}/_schemas/${prefix}${manifest.kind}.js`
  );
  const seen = new Set();
  validate(watched(manifest, "", seen));
  const wrong = (validate.errors ?? []).map((each) => `${each.instancePath}: ${each.keyword} ${JSON.stringify(each.params)}`);
  const unknown = [...paths(manifest, "")].filter((path) => !seen.has(path));
  return [...wrong, ...unknown.map((path) => `${path}: unknown`)];
}

const manifests = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await Promise.all(manifests.map(findings))));
