import * as z from 'zod';
import type { BbStatus } from '../model';
import { optionalText, text } from './text';

export const statusSchema = z
  .object({
    key: text,
    name: text,
    state: text,
    description: text,
    url: text,
    refname: optionalText,
    created_on: text,
    updated_on: text,
  })
  .transform(({ created_on: createdOn, updated_on: updatedOn, ...rest }): BbStatus => ({
    ...rest,
    createdOn,
    updatedOn,
  }));

export const STATUS_FIELDS = 'key,name,state,description,url,refname,created_on,updated_on';
