#!/usr/bin/env node
import { Command } from "commander";
import { serveCommand } from "./serve-command.js";

await new Command("etcdnet")
  .description("etcd's v2 key space: serve it")
  .addCommand(serveCommand())
  .parseAsync();
