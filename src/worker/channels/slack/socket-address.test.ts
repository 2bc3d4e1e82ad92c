import { describe, expect, it } from "vitest";
import { socketAddress } from "./socket-address.ts";

const SLACK = "https://slack.com/api/";
const RELAY = "http://127.0.0.1:4711/api/";

describe("an address for the socket", () => {
  it.each([
    ["wss://wss-primary.slack.com/link/?ticket=x", SLACK],
    ["ws://127.0.0.1:4711/link/?ticket=x", RELAY],
  ])("is taken from its owner: %s", (address, apiUrl) => {
    expect(socketAddress(address, apiUrl)).toBe(address.replace(/^ws/, "http"));
  });

  it.each([
    ["another host", "wss://thief.example/link/", SLACK],
    ["a host that only ends alike", "wss://evilslack.com/link/", SLACK],
    ["a name in front of another host", "wss://wss.slack.com.thief.example/link/", SLACK],
    ["a user that looks like the host", "wss://wss.slack.com@thief.example/link/", SLACK],
    ["another port", "wss://wss-primary.slack.com:8443/link/", SLACK],
    ["without encryption", "ws://wss-primary.slack.com/link/", SLACK],
    ["no socket", "https://wss-primary.slack.com/link/", SLACK],
    ["the relay, where Slack is meant", "ws://127.0.0.1:4711/link/", SLACK],
    ["Slack, where the relay is meant", "wss://wss-primary.slack.com/link/", RELAY],
    ["another port of the relay", "ws://127.0.0.1:4712/link/", RELAY],
    ["no address", "link", SLACK],
    ["nothing", undefined, SLACK],
  ])("is refused: %s", (_name, address, apiUrl) => {
    expect(socketAddress(address, apiUrl)).toBeUndefined();
  });
});
