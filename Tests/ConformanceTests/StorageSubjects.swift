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
    /// A memory file system may be smaller than real objects are.
    var life = SizeOfLife.full
    let make: @Sendable () async throws -> any Storage
    /// Another storage that has a place of its own below the given one.
    let beside: @Sendable (_ name: String) throws(BackupError) -> any Storage
    var testDescription: String { name }

    func subject() async throws -> StorageSubject {
        StorageSubject(name: name, storage: try await make(), prefix: Key("checks"), life: life, beside: beside)
    }
}

let storageTable: [StorageTable] = [
    StorageTable(name: "memory") {
        MemoryStorage()
    } beside: { (_) in
        MemoryStorage()
    },
    StorageTable(name: "memory tree") {
        MemoryTree()
    } beside: { (_) in
        MemoryTree()
    },
    posix("posix tree", in: "/tmp", .repository), posix("posix in memory tree", in: "/dev/shm", .cluster, .reduced),
]

private func posix(_ name: String, in parent: String, _ modes: PosixStorage.Modes, _ life: SizeOfLife = .full) -> StorageTable {
    let shared = Mutex<String?>(nil)
    return StorageTable(name: name, life: life) {
        PosixStorage(root: try temporaryFolder(in: parent), modes: modes)
    } beside: { (name) throws(BackupError) in
        let folder = shared.withLock { shared in
            shared = shared ?? (try? temporaryFolder(in: parent))
            return shared
        }
        return PosixStorage(root: (folder ?? parent) + "/" + name, modes: modes)
    }
}

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
