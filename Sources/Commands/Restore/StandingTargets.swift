// Recovery targets that an earlier recovery left in postgresql.conf or in what that includes.

import BackstopCore

struct StandingTargets {
    /// The whole file system, and the data directory.
    let root: any FileTree
    let dataPath: String

    private static let deepest = 10

    /// Names of the settings, in lower case. A file that cannot be read says nothing: the server will tell.
    func names() async throws(BackupError) -> Set<String> {
        var names: Set<String> = []
        try await read("\(dataPath)/postgresql.conf", 0, &names)
        return names
    }

    private func read(_ path: String, _ depth: Int, _ names: inout Set<String>) async throws(BackupError) {
        guard depth < Self.deepest else { return }
        let bytes: [UInt8]
        do throws(BackupError) {
            bytes = try await root.read(Key(absolute: path), limit: 16 << 20)
        } catch  where error.code != .cancelled {
            return
        }
        for (name, value) in ServerConfiguration.settings(bytes) {
            switch name {
            case "include", "include_if_exists": try await read(absolute(value, from: Key(path).parent.path), depth + 1, &names)
            case "include_dir":
                let folder = absolute(value, from: Key(path).parent.path)
                for file in (try? await root.list(Key(absolute: folder))) ?? []
                where file.key.name.hasSuffix(".conf") && !file.key.name.hasPrefix(".") {
                    try await read("/\(file.key)", depth + 1, &names)
                }
            default: if name.hasPrefix("recovery_target") { names.insert(name) }
            }
        }
    }
}
