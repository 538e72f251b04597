// The storages that the checks are run on: a line for each.

import BackstopConformance
import BackstopCore
import BackstopDrivers
import Testing

/// A way to get an empty storage, fresh for each check.
struct StorageTable: Sendable, CustomTestStringConvertible {
    let name: String
    let make: @Sendable () async throws -> any Storage
    var testDescription: String { name }
}

let storageTable: [StorageTable] = [
    StorageTable(name: "memory") { MemoryStorage() },
    StorageTable(name: "memory tree") { MemoryTree() },
    StorageTable(name: "posix tree") { PosixStorage(root: temporaryFolder(), modes: .repository) },
]

private func temporaryFolder() -> String { "/tmp/backstop-conformance-\(UInt64.random(in: 0 ... .max))" }

/// Those of them that are file trees.
let fileTreeTable = storageTable.filter { $0.name.hasSuffix("tree") }
