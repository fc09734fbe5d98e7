#!/usr/bin/env node
import { Command } from "commander";
import { gatewayCommand } from "./gateway-command.js";
import { serveCommand } from "./serve-command.js";

await new Command("etcdnet")
  .description("etcd's v2 key space: serve it")
  .addCommand(serveCommand())
  .addCommand(gatewayCommand())
  .parseAsync();
