import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';

/** A metric that an expression reads. */
export interface Selector {
  metric: string;
  matchers: { label: string; operator: string; value: string }[];
}

/**
 * What an expression of PromQL reads, and by which labels it groups. @throws Error where it is none
 */
export function readPromql(expression: string): { selectors: Selector[]; grouping: string[] } {
  const text = ({ from, to }: { from: number; to: number }) => expression.slice(from, to);
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError)
        throw new Error(`not PromQL, at ${node.from}: ${expression.slice(node.from)}`);
      if (node.name === 'VectorSelector') selectors.push(readSelector(node.node, text));
      if (node.name === 'LabelName' && node.node.parent?.name === 'GroupingLabels')
        grouping.push(text(node));
    },
  });
  return { selectors, grouping };
}

function readSelector(
  node: SyntaxNode,
  text: (node: { from: number; to: number }) => string,
): Selector {
  const name = node.getChild('Identifier');
  if (!name) throw new Error(`a selector without a metric: ${text(node)}`);
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return {
    metric: text(name),
    matchers: matchers.map((matcher) => {
      const part = (child: string): string => {
        const found = matcher.getChild(child);
        return found ? text(found) : '';
      };
      return {
        label: part('LabelName'),
        operator: part('MatchOp'),
        value: part('StringLiteral').slice(1, -1),
      };
    }),
  };
}
