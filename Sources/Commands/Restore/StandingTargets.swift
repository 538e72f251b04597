// Recovery targets that an earlier recovery left in postgresql.conf or in what that includes.

import BackstopCore

struct StandingTargets {
    let dataPath: String
    /// The bytes of a file by its absolute path; nil: there is none, or it cannot be read.
    let bytes: (_ path: String) async throws(BackupError) -> [UInt8]?
    /// The absolute paths of the files in a folder.
    let files: (_ folder: String) async -> [String]

    /// As it stands. `root`: the whole file system.
    init(root: any FileTree, dataPath: String) {
        self.init(
            dataPath: dataPath,
            bytes: { (path) async throws(BackupError) in
                do throws(BackupError) {
                    return try await root.read(Key(absolute: path), limit: Self.longest)
                } catch  where error.code != .cancelled {
                    return nil
                }
            },
            files: { folder in ((try? await root.list(Key(absolute: folder))) ?? []).map { "/\($0.key)" } })
    }

    init(
        dataPath: String, bytes: @escaping (_ path: String) async throws(BackupError) -> [UInt8]?,
        files: @escaping (_ folder: String) async -> [String]
    ) { (self.dataPath, self.bytes, self.files) = (dataPath, bytes, files) }

    /// Bytes of a file that is looked into.
    static let longest = 16 << 20

    private static let deepest = 10

    /// Names of the settings, in lower case. A file that cannot be read says nothing: the server will tell.
    func names() async throws(BackupError) -> Set<String> {
        var names: Set<String> = []
        try await read("\(dataPath)/postgresql.conf", 0, &names)
        return names
    }

    private func read(_ path: String, _ depth: Int, _ names: inout Set<String>) async throws(BackupError) {
        guard depth < Self.deepest, let bytes = try await bytes(path) else { return }
        for (name, value) in ServerConfiguration.settings(bytes) {
            switch name {
            case "include", "include_if_exists": try await read(absolute(value, from: Key(path).parent.path), depth + 1, &names)
            case "include_dir":
                let folder = absolute(value, from: Key(path).parent.path)
                for file in await files(folder) where file.hasSuffix(".conf") && !Key(file).name.hasPrefix(".") {
                    try await read(file, depth + 1, &names)
                }
            default: if name.hasPrefix("recovery_target") { names.insert(name) }
            }
        }
    }
}
