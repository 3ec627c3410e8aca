CREATE TABLE `execution_journal` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`entries` text NOT NULL
);
