export interface LoggerLike {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
