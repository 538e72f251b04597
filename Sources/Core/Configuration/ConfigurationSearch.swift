// Which configuration files are read (cli.md section 1.6), and that those of pgBackRest stand in where ours are absent.

import Glibc

/// Where the files are when nobody says otherwise. Tests put other folders in.
public struct ConfigurationFolders: Sendable {
    public var ours = "/etc/pgbackstop"
    public var peers = "/etc/pgbackrest"
    /// Where pgBackRest looked long ago.
    public var peersOldFile = "/etc/pgbackrest.conf"
    public init() {}

    static let ourFile = "pgbackstop.conf"
    static let peersFile = "pgbackrest.conf"
    static let includeFolder = "conf.d"
}

/// Finds and reads the files.
struct ConfigurationSearch {
    /// What the command line or the environment say about where the files are.
    struct Request {
        var file: String?
        var noFile = false
        var folder: String?
        var includeFolder: String?
    }

    private(set) var file = ConfigurationFile()
    private(set) var notes: [String] = []
    /// Whether what is read now is pgBackRest's as a whole.
    private var isPeers = false

    init(_ request: Request, _ folders: ConfigurationFolders) throws(BackupError) {
        if let path = request.file {
            guard try append(path) else { throw BackupError(.fileMissing, "configuration file '\(path)' is missing") }
        } else if !request.noFile, let folder = request.folder {
            if try !append(folder + "/" + ConfigurationFolders.ourFile) {
                let path = folder + "/" + ConfigurationFolders.peersFile
                if try append(path) { note(path, insteadOf: folder + "/" + ConfigurationFolders.ourFile) }
            }
        } else if !request.noFile {
            try appendDefault(folders, withIncludes: request.includeFolder == nil)
        }

        if let folder = request.includeFolder {
            guard try appendIncludes(folder) != nil else {
                throw BackupError(.pathMissing, "configuration folder '\(folder)' is missing")
            }
        } else if let folder = request.folder {
            _ = try appendIncludes(folder + "/" + ConfigurationFolders.includeFolder)
        }
    }

    /// The peer's files stand in as a whole, only where there is nothing of ours: two half configurations make no whole one.
    private mutating func appendDefault(_ folders: ConfigurationFolders, withIncludes: Bool) throws(BackupError) {
        let ours = folders.ours + "/" + ConfigurationFolders.ourFile
        var found = try append(ours)
        if withIncludes, let count = try appendIncludes(folders.ours + "/" + ConfigurationFolders.includeFolder), count > 0 { found = true }
        if found { return }
        isPeers = true
        for path in [folders.peers + "/" + ConfigurationFolders.peersFile, folders.peersOldFile] where try append(path) {
            note(path, insteadOf: ours)
            break
        }
        let folder = folders.peers + "/" + ConfigurationFolders.includeFolder
        if withIncludes, let count = try appendIncludes(folder), count > 0 { note(folder, insteadOf: ours) }
    }

    private mutating func note(_ path: String, insteadOf ours: String) {
        notes.append("configuration read from '\(path)', because '\(ours)' is missing")
    }

    private mutating func append(_ path: String) throws(BackupError) -> Bool {
        guard let bytes = try readFile(path) else { return false }
        let name = path.split(separator: "/").last
        let isNamedSo = name == ConfigurationFolders.peersFile[...] || path.hasPrefix("/etc/pgbackrest")
        try file.append(bytes, path: path, isPeers: isPeers || isNamedSo)
        return true
    }

    /// Reads the `*.conf` files in the order of their names; answers how many, or nil when there is no such folder.
    private mutating func appendIncludes(_ folder: String) throws(BackupError) -> Int? {
        guard let stream = opendir(folder) else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw BackupError(.pathOpen, "unable to open the configuration folder '\(folder)': \(systemMessage(errno))")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(".conf") { names.append(name) }
        }
        for name in names.sorted() { _ = try append(folder + "/" + name) }
        return names.count
    }
}
