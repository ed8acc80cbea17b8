import type { ConnectError } from "@connectrpc/connect";
import { BinaryReader } from "@bufbuild/protobuf/wire";

// The details of errors, google.rpc.ErrorInfo and google.rpc.BadRequest. Five
// fields are read here by hand: no package brings these two messages alone.

/** What is wrong with one field of a request. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

export interface ErrorInfo {
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export function errorInfo(error: ConnectError): ErrorInfo {
  const metadata: Record<string, string> = {};
  let reason = "";
  read(detail(error, "google.rpc.ErrorInfo"), {
    1: (reader) => (reason = reader.string()),
    3: (reader) => {
      const [key, value] = texts(reader.bytes());
      metadata[key] = value;
    },
  });
  return { reason, metadata };
}

export function fieldViolations(error: ConnectError): FieldViolation[] {
  const violations: FieldViolation[] = [];
  read(detail(error, "google.rpc.BadRequest"), {
    1: (reader) => {
      const [field, description] = texts(reader.bytes());
      violations.push({ field, description });
    },
  });
  return violations;
}

function detail(error: ConnectError, type: string): Uint8Array {
  for (const found of error.details) {
    if ("type" in found && found.type === type) return found.value;
  }
  return new Uint8Array();
}

/** The fields 1 and 2 of a message, both strings. */
function texts(message: Uint8Array): [string, string] {
  const found: [string, string] = ["", ""];
  read(message, { 1: (reader) => (found[0] = reader.string()), 2: (reader) => (found[1] = reader.string()) });
  return found;
}

function read(message: Uint8Array, fields: Record<number, (reader: BinaryReader) => void>): void {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = fields[number];
    if (field) field(reader);
    else reader.skip(wireType, number);
  }
}
