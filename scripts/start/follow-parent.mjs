// Loaded before a program that a script here started: when the script is gone, however it ended, the program is asked to end too.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()

export {}
