import { join } from 'node:path';

export interface NodePorts {
  readonly amqp: number;
  readonly management: number;
  readonly distribution: number;
  readonly epmd: number;
}

export interface NodeSettings {
  readonly folder: string;
  readonly nodename: string;
  readonly ports: NodePorts;
  readonly user: string;
  readonly password: string;
}

/** rabbitmq.conf. Naming a default user means that guest is never created. */
export function configurationOf({ ports, user, password }: NodeSettings): string {
  return [
    'listeners.tcp.1 = 127.0.0.1:' + String(ports.amqp),
    'management.tcp.ip = 127.0.0.1',
    'management.tcp.port = ' + String(ports.management),
    `default_user = ${user}`,
    `default_pass = ${password}`,
    'default_user_tags.administrator = true',
    // The default asks for 50 MB; a developer's nearly full disk is not what an alarm is for here.
    'disk_free_limit.absolute = 50MB',
    'log.file = false',
    'log.console = true',
    'log.console.level = info',
    '',
  ].join('\n');
}

/** A node that shares nothing with the system's own: home (the cookie), name, data, logs, plugins, epmd. */
export function environmentOf({ folder, nodename, ports }: NodeSettings): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    HOME: join(folder, 'home'),
    RABBITMQ_NODENAME: nodename,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    // Schedulers bound to cores make two nodes on one machine fight for the same ones.
    RABBITMQ_SCHEDULER_BIND_TYPE: 'u',
    // The script then becomes the Erlang VM instead of waiting for it: its pid is the server's.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}
