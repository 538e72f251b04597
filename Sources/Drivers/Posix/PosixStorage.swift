// A folder of a local or network file system as a storage: the repository on disk, and the place where PostgreSQL lives.

internal import CSystem
public import BackstopCore
internal import Glibc
internal import Synchronization

/// Keys are paths below `root`. An object appears under its name by a rename after all its bytes were written (and, when durable,
/// synced), so no reader and no crash ever sees a part of it. Symbolic links inside keys are followed by the kernel: that is how
/// tablespaces are reached.
public final class PosixStorage: FileTree {
    /// What files and folders get when `put` and `makeDirectory` name no mode.
    public struct Modes: Sendable {
        /// Permission bits of a file.
        public var file: UInt32
        /// Permission bits of a folder, and of the missing ones above it.
        public var folder: UInt32
        /// Whether the umask counts.
        public var new = NewModes.neutral
        public init(file: UInt32, folder: UInt32) {
            self.file = file
            self.folder = folder
        }
        /// The same, by the option `neutral-umask`.
        public func made(_ new: NewModes) -> Modes {
            var modes = self
            modes.new = new
            return modes
        }
        /// Of a repository (repository-format.md section 1.3).
        public static let repository = Modes(file: 0o640, folder: 0o750)
        /// Of a cluster without group access.
        public static let cluster = Modes(file: 0o600, folder: 0o700)
    }

    /// Readers of a repository ignore names with this ending (repository-format.md section 1.3).
    static let temporarySuffix = ".pgbackrest.tmp"

    let root: String
    let modes: Modes
    /// For somebody else: no link is followed that leads out of `root`, and none is made.
    private let isConfined: Bool
    private let blocks = BlockPool()
    private let accounts = Accounts.shared
    private let unsynced = UnsyncedFileSystems()
    private let syncedFolders = Mutex<Set<String>>([])

    /// `root`: an absolute path without trailing `/`; it need not exist.
    public init(root: String, modes: Modes, isConfined: Bool = false) {
        self.root = root
        self.modes = modes
        self.isConfined = isConfined
    }

    public var capabilities: Capabilities { [.putIfAbsent, .symbolicLinks, .hardLinks] }
    public var location: String { root }

    func path(_ key: Key) -> String { key.isRoot ? (root.isEmpty ? "/" : root) : "\(root)/\(key.path)" }

    /// The path of `key`, when that is not outside. Who can make links to the outside is trusted, so it need not be one step with the call
    /// that uses the path.
    private func confined(_ key: Key) throws(BackupError) -> String {
        let path = path(key)
        guard isConfined, !key.isRoot, let inside = realPath(root) else { return path }
        // What does not exist yet will be where the folder above it is.
        var existing = path
        var found = realPath(existing)
        while found == nil, errno == ENOENT, existing.utf8.count > root.utf8.count {
            var status = FileStatus()
            // A link that leads to nothing might be a file outside in a moment.
            if fileStatus(existing, follow: false, &status) == 0 { break }
            existing = parentPath(existing)
            found = realPath(existing)
        }
        guard let found, sameBytes(found, inside) || found.isBelow(inside) else {
            throw BackupError(.denied, "'\(path)' leads out of '\(root)'", hint: "a link is there that is not followed for other hosts.")
        }
        return path
    }

    // MARK: Reading

    public func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        let path = try confined(key)
        let descriptor = try call("open", path) { BackstopDrivers.open(path, O_RDONLY | O_CLOEXEC) }
        return PosixSource(descriptor: descriptor, path: path, range: range)
    }

    public func stat(_ key: Key) async throws(BackupError) -> Entry? {
        var status = FileStatus()
        _ = try confined(key.parent)
        let path = path(key)
        if fileStatus(path, follow: key.isRoot, &status) != 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw systemError("get information on", path)
        }
        return entry(key, path, status)
    }

    public func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        var beginning = ""
        if case .names(let text) = depth { beginning = text }
        var folders = [prefix]
        while let folder = folders.popLast() {
            try listFolder(folder, beginning) { (entry) throws(BackupError) in
                if depth == .all && entry.kind == .folder { folders.append(entry.key) }
                try visit(entry)
            }
        }
    }

    private func listFolder(_ folder: Key, _ beginning: String, _ visit: (Entry) throws(BackupError) -> Void) throws(BackupError) {
        let path = try confined(folder)
        let beginning = FileName.bytes(beginning).map { CChar(bitPattern: $0) }
        guard let directory = opendir(path) else {
            if errno == ENOENT { return }
            throw systemError("list", path, denied: .pathOpen)
        }
        defer { closedir(directory) }
        while true {
            errno = 0
            guard let item = readdir(directory) else {
                if errno != 0 { throw systemError("list", path) }
                return
            }
            var status = FileStatus()
            let name = try withUnsafePointer(to: &item.pointee.d_name) { pointer throws(BackupError) -> String? in
                let text = UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self)
                if strcmp(text, ".") == 0 || strcmp(text, "..") == 0 { return nil }
                if !beginning.isEmpty && strncmp(text, beginning, beginning.count) != 0 { return nil }
                let name = FileName.text(UnsafeRawBufferPointer(start: text, count: strlen(text)))
                if fstatat(dirfd(directory), text, &status, AT_SYMLINK_NOFOLLOW) != 0 {
                    // Vanished since it was listed, as files of a running cluster do.
                    if errno == ENOENT { return nil }
                    throw systemError("get information on", "\(path)/\(name)")
                }
                return name
            }
            guard let name else { continue }
            let key = folder / name
            try visit(entry(key, self.path(key), status))
        }
    }

    private func entry(_ key: Key, _ path: String, _ status: FileStatus) -> Entry {
        let kind: Entry.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .special
            }
        let attributes = Attributes(
            mode: status.st_mode & 0o7777, user: accounts.userName(status.st_uid), group: accounts.groupName(status.st_gid),
            modified: Int64(status.st_mtim.tv_sec))
        return Entry(
            key: key, kind: kind, size: kind == .file ? UInt64(status.st_size) : 0, modified: Int64(status.st_mtim.tv_sec),
            attributes: attributes, target: kind == .link ? linkText(path) : nil)
    }

    // MARK: Writing

    public func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        let path = path(key)
        let folder = try confined(key.parent)
        var file = try create(key, durable: options.durability != .never)
        let temporary = file.path
        do throws(BackupError) {
            let durable =
                switch options.durability {
                case .now: true
                // Where the sync of a file system is not trusted each file has one of its own.
                case .bySync: !unsynced.take(file.descriptor, folder: folder)
                case .never: false
                }
            if durable { try syncAbove(key.parent) }
            var size = try await file.write(from: &source, blocks, syncSoon: durable)
            if let length = options.length, length > size {
                try file.extend(to: length)
                size = length
            }
            var attributes = options.attributes
            if attributes.mode == modes.file { attributes.mode = nil }
            try accounts.apply(attributes, descriptor: file.descriptor, path: path)
            if durable { try file.sync() } else if options.durability == .bySync { file.startWriteback(size) }
            if options.ifAbsent {
                try call("create", path, otherwise: .fileWrite) { BackstopDrivers.link(temporary, path) }
                _ = unlink(temporary)
            } else {
                try call("rename to", path, otherwise: .fileWrite) { rename(temporary, path) }
            }
            if durable { try syncPath(folder) }
            // Closing gives up the lock on the temporary name, so it comes after the rename.
            let status = try file.close()
            return Entry(key: key, kind: .file, size: size, modified: Int64(status.st_mtim.tv_sec))
        } catch {
            _ = unlink(temporary)
            throw error
        }
    }

    /// The file that will become `key`, under its usual temporary name, or under one of its own when another process writes the same key.
    private func create(_ key: Key, durable: Bool) throws(BackupError) -> OutputFile {
        let usual = temporaryPath(for: key, "")
        for attempt in 1... {
            do throws(BackupError) {
                if let file = try OutputFile(claiming: usual, mode: modes.file, modes.new) { return file }
                break
            } catch  where error.code == .notFound && attempt < 100 {
                // Somebody who removes the last file of a folder may take the folder away again.
                try makeFolders(key.parent, mode: modes.folder, durable: durable)
            }
        }
        let own = temporaryPath(for: key, "." + String(UInt32.random(in: .min ... .max), radix: 16))
        return try OutputFile(creating: own, mode: modes.file, modes.new)
    }

    private func temporaryPath(for key: Key, _ mark: String) -> String {
        // A name may have 255 bytes; a long one is cut, and the lock on the file keeps two of them apart.
        var name = key.name
        while name.utf8.count > 255 - mark.utf8.count - Self.temporarySuffix.utf8.count { name.removeLast() }
        return "\(path(key.parent))/\(name)\(mark)\(Self.temporarySuffix)"
    }

    /// Makes the names of the folders above `folder` durable, once: a killed process may have left them without. One that may not be
    /// opened is none that we made anything in, nor are those above it.
    private func syncAbove(_ folder: Key) throws(BackupError) {
        var folder = folder
        var synced: [String] = []
        while !folder.isRoot {
            folder = folder.parent
            let path = path(folder)
            if syncedFolders.withLock({ $0.contains(path) }) { break }
            do throws(BackupError) {
                try syncPath(path)
            } catch  where error.code == .denied {
                break
            }
            synced.append(path)
        }
        if !synced.isEmpty { syncedFolders.withLock { $0.formUnion(synced) } }
    }

    public func remove(_ key: Key) async throws(BackupError) {
        _ = try confined(key.parent)
        let path = path(key)
        if unlink(path) == 0 {
            unsynced.note(parentPath(path), folder: parentPath(path))
        } else if errno != ENOENT && errno != ENOTDIR {
            throw systemError("remove", path, denied: .fileRemove)
        }
    }

    /// Also makes durable the names of `prefix` itself and of what is directly in it, whoever made them.
    public func sync(_ prefix: Key) async throws(BackupError) {
        try unsynced.sync()
        try syncPath(try confined(prefix))
        try syncAbove(prefix)
    }

    // MARK: Folders, links, attributes

    /// Durable after the next `sync`, like what is put to be so.
    public func makeDirectory(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        let path = try confined(key)
        try makeFolders(key, mode: attributes.mode ?? modes.folder, durable: false)
        try accounts.apply(attributes, path: path)
    }

    /// Creates the folder and the missing ones above it.
    private func makeFolders(_ key: Key, mode: UInt32, durable: Bool) throws(BackupError) {
        let path = path(key)
        if mkdir(path, mode) == 0 {
            modes.new.settle(path, mode)
            if durable { try syncPath(parentPath(path)) } else { unsynced.note(parentPath(path), folder: path) }
            return
        }
        switch errno {
        case EEXIST:
            var status = FileStatus()
            guard fileStatus(path, follow: true, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw BackupError(.pathCreate, "unable to create path '\(path)': a file of that name exists")
            }
        case ENOENT where path != "/":
            if key.isRoot {
                try PosixStorage(root: parentPath(path), modes: modes).makeFolders(.root, mode: modes.folder, durable: durable)
            } else {
                try makeFolders(key.parent, mode: modes.folder, durable: durable)
            }
            try makeFolders(key, mode: mode, durable: durable)
        default:
            throw systemError("create path", path, denied: .pathCreate)
        }
    }

    public func removeDirectory(_ key: Key) async throws(BackupError) {
        _ = try confined(key.parent)
        let path = path(key)
        if rmdir(path) == 0 {
            unsynced.note(parentPath(path), folder: parentPath(path))
        } else if errno != ENOENT {
            throw systemError("remove path", path, denied: .fileRemove)
        }
    }

    public func link(_ key: Key, to target: String, _ kind: LinkKind) async throws(BackupError) {
        _ = try confined(key.parent)
        if isConfined { try refuseOutside(target, from: kind == .hard ? .root : key.parent) }
        let path = path(key)
        func make() -> Int32 { kind == .symbolic ? symlink(target, path) : BackstopDrivers.link(self.path(Key(target)), path) }
        if make() != 0 {
            guard errno == ENOENT else { throw systemError("create link", path, otherwise: .fileWrite) }
            try makeFolders(key.parent, mode: modes.folder, durable: false)
            if make() != 0 { throw systemError("create link", path, otherwise: .fileWrite) }
        }
        unsynced.note(parentPath(path), folder: parentPath(path))
    }

    /// For what a client links: `target`, seen from `folder`, stays inside whatever links there are. So its steps up come first, and there
    /// is no link among the folders that they go through.
    private func refuseOutside(_ target: String, from folder: Key) throws(BackupError) {
        let parts = target.pathParts.filter { $0 != "." }
        let up = parts.prefix { $0 == ".." }.count
        let path = path(folder)
        try makeFolders(folder, mode: modes.folder, durable: false)
        let isPlain =
            if let real = realPath(path), let inside = realPath(root) { sameBytes(real, inside + path.dropFirst(root.count)) } else {
                false
            }
        guard isPlain, up <= (folder.isRoot ? 0 : folder.path.pathParts.count), !parts.dropFirst(up).contains(".."),
            !target.hasBytes("/")
        else {
            throw BackupError(.denied, "a link to '\(target)' may lead out of '\(root)'", hint: "for other hosts no such link is made.")
        }
    }

    public func setAttributes(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        let path = try confined(key)
        try accounts.apply(attributes, path: path)
        unsynced.note(path, folder: key.isRoot ? path : parentPath(path))
    }
}

func parentPath(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else { return "/" }
    return String(path[..<slash])
}
