import { runSimulator } from './simulator.js';

/**
 * The bucket of docker-compose.yml: `node serve.js`, with S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY in the
 * environment. Objects are kept in /data; the S3 API is at http://bucket:9000/cdn-cgi/local/r2/s3.
 */
const required = ['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const;
const missing = required.filter((name) => !process.env[name]);
if (missing.length > 0) {
  console.error(missing.map((name) => `${name} is required`).join('\n'));
  process.exit(78);
}
const [bucket = '', accessKeyId = '', secretAccessKey = ''] = required.map((name) => process.env[name]);
const credentials = { accessKeyId, secretAccessKey };
const place = { host: '0.0.0.0', names: ['bucket'], port: 9000, folder: '/data' };
await runSimulator({ ...place, buckets: [bucket], credentials });
console.log(`the bucket ${bucket} is ready`);
