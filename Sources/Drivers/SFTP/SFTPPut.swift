// Writing a file under a temporary name: pieces are on their way while the next ones are made.

internal import BackstopCore

struct SFTPPut {
    private let storage: SFTPStorage
    private let key: Key
    private let options: PutOptions
    private let path: String
    /// The temporary name that is tried first, so that the next run finds what a killed one left. It differs from the name that the posix driver
    /// uses on the server itself: that driver goes by locks, and would not see that an SFTP client is writing.
    private let usual: String
    private var temporary: String
    private var pending: [UInt32] = []
    private var size: UInt64 = 0

    /// After so many seconds nobody writes on.
    private static let leftoverAge: Int64 = 3600

    init(_ storage: SFTPStorage, _ key: Key, _ options: PutOptions) {
        self.storage = storage
        self.key = key
        self.options = options
        path = storage.settings.path(key)
        usual = Self.temporaryPath(path, ".sftp")
        temporary = usual
    }

    private static func temporaryPath(_ path: String, _ mark: String) -> String {
        let folder = parentPath(path)
        var name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.utf8.index(after: $0)...] } ?? path[...]
        // A name may have 255 bytes.
        while name.utf8.count > 255 - mark.utf8.count - SFTPStorage.temporarySuffix.utf8.count { name.removeLast() }
        return "\(folder == "/" ? "" : folder)/\(name)\(mark)\(SFTPStorage.temporarySuffix)"
    }

    mutating func run<Source: ByteSource & ~Copyable>(from source: inout Source) async throws(BackupError) -> Entry {
        let connections = storage.connections
        let (session, created) = try await connections.begin { (session) throws(BackupError) in try create(session) }
        temporary = created.path
        do throws(BackupError) {
            try await write(from: &source, created.handle, session)
            let modified = try complete(created.handle, session)
            try appear(session)
            if temporary != usual { removeLeftover(modified, session) }
            connections.give(back: session)
            return Entry(key: key, kind: .file, size: size, modified: modified)
        } catch {
            tidyUp(created.handle, session)
            connections.give(back: session)
            throw error
        }
    }

    // MARK: The steps

    private func create(_ session: SFTPSession) throws(BackupError) -> (path: String, handle: [UInt8]) {
        var name = usual
        for attempt in 1... {
            switch try session.open(name, [.write, .create, .exclusive], mode: PosixStorage.Modes.repository.file) {
            case .done(let handle): return (name, handle)
            case .refused(let status) where status.isMissing && attempt < 100:
                // Somebody who removes the last file of a folder may take the folder away again.
                try storage.makeFolders(parentPath(path), session)
            case .refused(let status) where status.code != SFTPStatus.permissionDenied && name == usual:
                // Another process writes the same key, or one was killed while it did.
                name = Self.temporaryPath(path, "." + String(UInt32.random(in: .min ... .max), radix: 16))
            case .refused(let status): throw status.error("create", storage.shown(path), otherwise: .fileWrite)
            }
        }
        throw BackupError(.assertion, "no end of attempts")
    }

    private mutating func write<Source: ByteSource & ~Copyable>(
        from source: inout Source, _ handle: [UInt8], _ session: SFTPSession
    ) async throws(BackupError) {
        let lent = storage.blocks.lend()
        var more = true
        while more {
            lent.block.clear()
            more = try await lent.block.fillWhole(from: &source)
            var begin = 0
            while begin < lent.block.count {
                let range = begin..<min(begin + SFTPSession.chunk, lent.block.count)
                if pending.count >= SFTPSession.window { try confirm(session) }
                let offset = size
                pending.append(
                    try lent.block.withBytes { (bytes: RawSpan) throws(BackupError) in
                        try session.sendWrite(handle, offset, bytes.extracting(range))
                    })
                size += UInt64(range.count)
                begin = range.upperBound
            }
            try session.flush()
        }
    }

    /// Waits until the server has the oldest piece.
    private mutating func confirm(_ session: SFTPSession) throws(BackupError) {
        let status = try session.status(pending.removeFirst())
        if !status.isOK { throw status.error("write", storage.shown(path), otherwise: .fileWrite) }
    }

    /// All bytes are there, on the server's disk, and the file is closed. Answers when the server says that was.
    private mutating func complete(_ handle: [UInt8], _ session: SFTPSession) throws(BackupError) -> Int64 {
        let sync = storage.syncs && options.durability != .never ? try session.sendSync(handle) : nil
        let attributes = try session.send(.fstat, handle: handle)
        let close = try session.send(.close, handle: handle)
        while !pending.isEmpty { try confirm(session) }
        if let sync {
            let status = try storage.waitingLong(session) { (session) throws(BackupError) in try session.status(sync) }
            if !status.isOK { throw status.error("sync", storage.shown(path), otherwise: .fileWrite) }
        }
        var modified = unixNow()
        if case .done(let found) = try session.attributes(attributes) { modified = found.modified ?? modified }
        let status = try session.status(close)
        if !status.isOK { throw status.error("close", storage.shown(path), otherwise: .fileWrite) }
        return modified
    }

    private func appear(_ session: SFTPSession) throws(BackupError) {
        if options.durability == .now { try storage.syncAbove(key.parent, session) }
        if options.ifAbsent {
            try link(session)
        } else if storage.replaces {
            let status = try session.extended(SFTPSession.posixRename, temporary, path)
            if !status.isOK { throw status.error("rename to", storage.shown(path), otherwise: .fileWrite) }
        } else {
            try replaceInSteps(session)
        }
        let folder = parentPath(path)
        switch options.durability {
        case .now: try storage.sync(folder: folder, session)
        case .bySync: storage.note(changed: folder)
        case .never: break
        }
    }

    private func link(_ session: SFTPSession) throws(BackupError) {
        let status = try session.extended(SFTPSession.hardLink, temporary, path)
        if status.isOK {
            _ = try session.remove(temporary)
        } else if case .done = try session.attributes(of: path, follow: false) {
            throw BackupError(.alreadyExists, "'\(storage.shown(path))' exists already")
        } else {
            throw status.error("create", storage.shown(path), otherwise: .fileWrite)
        }
    }

    /// Of a server whose rename does not replace. The old file steps aside, so that it is not lost when the new one cannot take its place.
    private func replaceInSteps(_ session: SFTPSession) throws(BackupError) {
        var aside: [String] = []
        var refusal = try session.rename(temporary, path)
        // More than one try when others put the same key at this moment.
        for _ in 0..<20 where !refusal.isOK {
            let name = Self.temporaryPath(path, "." + String(UInt32.random(in: .min ... .max), radix: 16))
            let moved = try session.rename(path, name)
            if moved.isOK { aside.append(name) } else if !moved.isMissing { break }
            refusal = try session.rename(temporary, path)
        }
        // What could not be put back stays where it is.
        if !refusal.isOK, let last = aside.popLast() { _ = try session.rename(last, path) }
        for name in aside { _ = try session.remove(name) }
        if !refusal.isOK { throw refusal.error("rename to", storage.shown(path), otherwise: .fileWrite) }
    }

    /// A file under the usual temporary name that nobody has written to for long was left by a process that was killed. Both times are
    /// of the server's clock.
    private func removeLeftover(_ now: Int64, _ session: SFTPSession) {
        try? { () throws(BackupError) in
            guard case .done(let found) = try session.attributes(of: usual, follow: false), let modified = found.modified,
                modified < now - Self.leftoverAge
            else { return }
            _ = try session.remove(usual)
        }()
    }

    /// Removes the temporary file, by another connection when this one has broken. What cannot be removed now is left.
    private func tidyUp(_ handle: [UInt8], _ session: SFTPSession) {
        try? { () throws(BackupError) in
            if session.isBroken { return _ = try storage.connections.connectOnce(Self.tidyPatience).remove(temporary) }
            let patience = session.channel.patience
            session.channel.outlivesCancellation = true
            session.channel.patience = min(patience, Self.tidyPatience)
            defer {
                session.channel.outlivesCancellation = false
                session.channel.patience = patience
            }
            session.close(handle)
            _ = try session.remove(temporary)
        }()
    }

    private static let tidyPatience = Duration.seconds(5)
}
