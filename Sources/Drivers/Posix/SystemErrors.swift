// Errors of the operating system in the program's words, by errno.

internal import BackstopCore
internal import Glibc

/// Repeats an interrupted call and turns a failed one into an error that says what was attempted on what.
@discardableResult
func call(_ action: String, _ path: String, otherwise: BackupError.Code = .io, _ body: () -> Int32) throws(BackupError) -> Int32 {
    while true {
        let result = body()
        if result >= 0 { return result }
        if errno != EINTR { throw systemError(action, path, otherwise: otherwise) }
    }
}

/// From the current errno. `denied`: the code when permission is what lacks; `otherwise`: when it is nothing that has a code of its own.
func systemError(
    _ action: String, _ path: String, denied: BackupError.Code = .denied, otherwise: BackupError.Code = .io
) -> BackupError {
    let number = errno
    let (code, hint): (BackupError.Code, String?) =
        switch number {
        case ENOENT, ENOTDIR: (.notFound, nil)
        case EEXIST: (.alreadyExists, nil)
        case EROFS: (denied, "the file system that holds it is mounted read-only.")
        case EACCES, EPERM: (denied, "check owner and mode of the path; this process runs as user id \(geteuid()).")
        case ENOSPC, EDQUOT: (.full, "free space on the file system that holds it.")
        case ENOTEMPTY: (.pathNotEmpty, nil)
        case ENAMETOOLONG, EINVAL, ELOOP: (.invalid, nil)
        default: (otherwise, nil)
        }
    return BackupError(code, "unable to \(action) '\(path)': \(systemMessage(number))", hint: hint)
}

typealias FileStatus = Glibc.stat

/// What is at `path`; -1 with errno set when there is nothing. `follow`: a symbolic link is looked through.
func fileStatus(_ path: String, follow: Bool, _ status: inout FileStatus) -> Int32 {
    path.withSystemName { fstatat(AT_FDCWD, $0, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW) }
}
