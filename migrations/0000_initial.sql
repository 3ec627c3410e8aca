CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE TABLE `deployments` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`function_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`type` text NOT NULL,
	`status` text NOT NULL,
	`entrypoint` text NOT NULL,
	`start_file` text NOT NULL,
	`commands` text DEFAULT '' NOT NULL,
	`activate` integer DEFAULT false NOT NULL,
	`source_size` integer DEFAULT 0 NOT NULL,
	`build_size` integer DEFAULT 0 NOT NULL,
	`build_duration` integer DEFAULT 0 NOT NULL,
	`build_logs` text DEFAULT '' NOT NULL,
	`source_digest` text NOT NULL,
	`artifact` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `deployments_id` ON `deployments` (`id`);--> statement-breakpoint
CREATE INDEX `deployments_function` ON `deployments` (`function_id`,`seq`);--> statement-breakpoint
CREATE TABLE `execution_inputs` (
	`seq` integer PRIMARY KEY NOT NULL,
	`headers` text NOT NULL,
	`body` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `execution_outputs` (
	`seq` integer PRIMARY KEY NOT NULL,
	`logs` text NOT NULL,
	`errors` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `executions` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`function_id` text NOT NULL,
	`deployment_id` text NOT NULL,
	`trigger` text NOT NULL,
	`status` text NOT NULL,
	`response_status_code` integer DEFAULT 0 NOT NULL,
	`duration` real DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`scheduled_at` integer,
	`user_id` text,
	`request_method` text NOT NULL,
	`request_path` text NOT NULL,
	`request_headers` text NOT NULL,
	`response_headers` text DEFAULT '[]' NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `executions_id` ON `executions` (`id`);--> statement-breakpoint
CREATE INDEX `executions_function` ON `executions` (`function_id`,`seq`);--> statement-breakpoint
CREATE INDEX `executions_status` ON `executions` (`function_id`,`status`,`seq`);--> statement-breakpoint
CREATE INDEX `executions_trigger` ON `executions` (`function_id`,`trigger`,`seq`);--> statement-breakpoint
CREATE INDEX `executions_response_status_code` ON `executions` (`function_id`,`response_status_code`,`seq`);--> statement-breakpoint
CREATE INDEX `executions_duration` ON `executions` (`function_id`,`duration`,`seq`);--> statement-breakpoint
CREATE INDEX `executions_created_at` ON `executions` (`function_id`,`created_at`,`seq`);--> statement-breakpoint
CREATE TABLE `functions` (
	`id` text PRIMARY KEY NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`name` text NOT NULL,
	`runtime` text NOT NULL,
	`execute` text NOT NULL,
	`events` text NOT NULL,
	`schedule` text DEFAULT '' NOT NULL,
	`timeout` integer DEFAULT 15 NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`logging` integer DEFAULT true NOT NULL,
	`live` integer DEFAULT true NOT NULL,
	`entrypoint` text DEFAULT '' NOT NULL,
	`commands` text DEFAULT '' NOT NULL,
	`scopes` text NOT NULL,
	`build_specification` text DEFAULT 's-1vcpu-512mb' NOT NULL,
	`runtime_specification` text DEFAULT 's-1vcpu-512mb' NOT NULL,
	`deployment_id` text DEFAULT '' NOT NULL,
	`deployment_created_at` integer,
	`latest_deployment_id` text DEFAULT '' NOT NULL,
	`latest_deployment_created_at` integer,
	`latest_deployment_status` text DEFAULT '' NOT NULL,
	`origin` text DEFAULT 'api' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `meta` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
