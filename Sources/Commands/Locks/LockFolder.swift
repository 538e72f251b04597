// Whose files in the lock folder count (repository-format.md sections 12.1 and 12.2).

import BackstopCore
import CSystem
import Glibc

/// A folder of locks and stop files. The usual one is below /tmp, where any user of the host can make it first and put into it what they
/// like: what belongs to others neither stops anything nor holds a lock.
struct LockFolder: Sendable {
    let path: String
    /// The users whose folders and files count.
    let trusted: Set<uid_t>

    /// What is known of a folder or file without following a link.
    struct Facts: Sendable {
        var owner: uid_t
        var isFolder = false
        /// A file with one name.
        var isPlainFile = false
    }

    enum Finding: Sendable, Equatable {
        case nothing
        case counts
        /// It belongs to this user, or is in a folder that does.
        case foreign(owner: uid_t)
    }

    /// That of `lock-path`: root and this user are trusted, and by root the owner of the cluster too.
    init(_ options: Options) {
        path = options[GeneralOptions.lockPath]
        var trusted: Set = [0, geteuid()]
        if geteuid() == 0, let data = options[PostgresOptions.path, 1] {
            var status = stat()
            if stat(data, &status) == 0 { trusted.insert(status.st_uid) }
        }
        self.trusted = trusted
    }

    private init(_ path: String, _ trusted: Set<uid_t>) { (self.path, self.trusted) = (path, trusted) }

    /// For the locks of this user where those of `lock-path` cannot be had.
    var own: LockFolder { LockFolder("\(path)-\(geteuid())", [geteuid()]) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Whether it can be believed, as it is now.
    var finding: Finding { Self.judge(look(nil).folder, trusted) }

    /// nil when it does not exist.
    var owner: uid_t? { look(nil).folder?.owner }

    /// Whether the file of this name counts.
    func finding(_ name: String) -> Finding {
        let (folder, file) = look(name)
        return Self.judge(folder, file, trusted)
    }

    static func judge(_ folder: Facts?, _ trusted: Set<uid_t>) -> Finding {
        guard let folder else { return .nothing }
        guard trusted.contains(folder.owner) else { return .foreign(owner: folder.owner) }
        return folder.isFolder ? .counts : .nothing
    }

    static func judge(_ folder: Facts?, _ file: Facts?, _ trusted: Set<uid_t>) -> Finding {
        guard let file else { return .nothing }
        let found = judge(folder, trusted)
        guard found == .counts else { return found }
        guard trusted.contains(file.owner) else { return .foreign(owner: file.owner) }
        // A second name of a file of ours, or a link: whoever made it need not be its owner.
        return file.isPlainFile ? .counts : .nothing
    }

    /// Both through one descriptor, so that they belong together. The folder may be a link where the owner of that is trusted.
    private func look(_ name: String?) -> (folder: Facts?, file: Facts?) {
        var status = stat()
        var descriptor = backstop_open_path(path, 0)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return (nil, nil) }
        var link: Facts?
        if status.st_mode & S_IFMT == S_IFLNK {
            // One of somebody else decides nothing, but what is behind it can be told.
            if !trusted.contains(status.st_uid) { link = Facts(status) }
            close(descriptor)
            descriptor = backstop_open_path(path, 1)
            guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return (nil, nil) }
        }
        let folder = link ?? Facts(status)
        guard let name, fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return (folder, nil) }
        return (folder, Facts(status))
    }

    /// In words for messages.
    static func name(_ user: uid_t) -> String {
        getpwuid(user).map { "user '\(String(cString: $0.pointee.pw_name))'" } ?? "user id \(user)"
    }
}

extension LockFolder.Facts {
    init(_ status: stat) {
        owner = status.st_uid
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        isPlainFile = status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1
    }
}
