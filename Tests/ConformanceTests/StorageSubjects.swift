// The storages that the checks are run on: a line for each.

import BackstopConformance
import BackstopCore
import BackstopDrivers
import Foundation
import Synchronization
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
    StorageTable(name: "posix tree") { PosixStorage(root: try temporaryFolder(), modes: .repository) },
    StorageTable(name: "posix in memory tree") { PosixStorage(root: try temporaryFolder(in: "/dev/shm"), modes: .cluster) },
]

/// A new folder, removed when the process ends. `/dev/shm` is another file system than `/tmp`, with other ways to be synced.
func temporaryFolder(in parent: String = "/tmp") throws -> String {
    let path = try #require(mkdtemp(strdup("\(parent)/pgbackstop-conformance.XXXXXX")).map { String(cString: $0) })
    temporaryFolders.withLock { folders in
        if folders.isEmpty {
            atexit { temporaryFolders.withLock { for folder in $0 { try? FileManager.default.removeItem(atPath: folder) } } }
        }
        folders.append(path)
    }
    return path
}

private let temporaryFolders = Mutex<[String]>([])

/// Those of them that are file trees.
let fileTreeTable = storageTable.filter { $0.name.hasSuffix("tree") }
